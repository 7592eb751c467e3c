"""Counter files: what is read, and what is refused in one line."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from mcost.checks.kernel import RowError, bundled, judge, read_rows

HEAD = (
    "workload,kernel,cpus,sharers,cpus_per_sharer,pages,op,run,reps,remote_flush,"
    "remote_received,local_all,local_one,tlb_interrupts,cal_interrupts,extra"
)
GOOD = "w2,6.12.117,64,32,1,8,punch,0,5,160,160,0,0,160,170,"


def written(folder: Path, *lines: str, name: str = "unseen.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_bundled_files_are_all_read() -> None:
    assert len(bundled()) == 22
    for path in bundled():
        with gzip.open(path, "rt", encoding="utf-8") as text:
            lines = text.read().splitlines()
        counted = [line for line in lines if line[0] == "w" and not line.startswith("workload")]
        stale = [line for line in lines if line.startswith("# stale")]
        assert len(read_rows(path)) == len(counted) + len(stale)


def test_plain_and_packed_files_read_alike(tmp_path: Path) -> None:
    plain = written(tmp_path, HEAD, GOOD)
    packed = tmp_path / "unseen.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_rows(plain)[0].counted == read_rows(packed)[0].counted


def test_stale_comments_become_rows(tmp_path: Path) -> None:
    punch = (
        "# stale kernel=6.12.117 cpus=64 mode=1 S=32 c=1 pages=8 run=0 stale_page_reads=0 of=256"
    )
    after = (
        "# stale_after_reclaim kernel=6.12.117 cpus=64 mode=4 S=32 c=1 dirty=1 run=0"
        " stale_page_reads=2048 of=2048"
    )
    first, second = read_rows(written(tmp_path, HEAD, punch, after))
    assert (first.op, first.pages, dict(first.counted)) == (
        "stale_after_punch", 8, {"stale_reads": 0},
    )  # fmt: skip
    assert (second.op, second.pages, second.flag("mode")) == ("stale_after_reclaim", 64, 4)


@pytest.mark.parametrize(
    ("name", "head", "row", "ceiling"),
    [
        ("rows.csv", HEAD, GOOD, 33),
        ("w1_n4_ceiling8.csv", HEAD, GOOD, 8),
        ("rows.csv", HEAD + ",ceiling", GOOD + ",12", 12),
        ("rows.csv", HEAD, GOOD + '"{""ceiling"":7}"', 7),
    ],
)
def test_the_ceiling_is_a_setting(
    tmp_path: Path, name: str, head: str, row: str, ceiling: int
) -> None:
    assert read_rows(written(tmp_path, head, row, name=name))[0].ceiling == ceiling


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "no rows"),
        ([HEAD], "no rows"),
        ([HEAD.replace("pages,", "")], "row 1: no column 'pages'"),
        ([HEAD, GOOD.replace(",64,", ",many,")], "row 2: cpus is 'many'"),
        ([HEAD, GOOD.replace(",64,", ",0,")], "row 2: cpus is '0', must be a whole number of"),
        ([HEAD, GOOD.replace("160,170", "1.5,170")], "row 2: tlb_interrupts is '1.5'"),
        ([HEAD, GOOD.rsplit(",", 2)[0]], "row 2: 14 cells, must be 16"),
        ([HEAD, GOOD.replace("6.12.117", "2.4")], "row 2: kernel '2.4' is not known"),
        ([HEAD, GOOD.replace("w2", "w9")], "row 2: workload 'w9' is not known"),
        ([HEAD, GOOD.replace("punch", "jump")], "row 2: op 'jump' is not known in w2"),
        ([HEAD, GOOD + "{x"], "row 2: extra is not JSON"),
        ([HEAD, GOOD + "[1]"], "row 2: extra is list"),
        ([HEAD, GOOD.replace(",64,", ",8,")], "row 2: sharers need 32 CPUs"),
        ([HEAD, GOOD + '"{""layout"":""ring""}"'], "row 2: extra: layout is 'ring'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, lines: list[str], told: str) -> None:
    path = written(tmp_path, *lines)
    with pytest.raises(RowError, match=r"unseen\.csv") as caught:
        judge(read_rows(path))
    assert told in str(caught.value)


def test_the_shell_says_it_in_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD, GOOD.replace("punch", "jump"))
    done = subprocess.run(
        [sys.executable, "-m", "mcost.cli", "validate", "--against", "kernel", "--data", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "unseen.csv: row 2: op 'jump'" in done.stderr


def test_not_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv.gz"
    path.write_bytes(b"\x1f\x8b\x00rubbish")
    with pytest.raises(RowError, match=r"broken\.csv\.gz: not a readable"):
        read_rows(path)
