"""``mcost trace`` as a person runs it, and what it says to bad input."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from mcost.cli import main
from mcost.spec.files import data_path
from mcost.traces.files import read_trace

GOLDEN = Path(__file__).parent / "golden"
STORY = GOLDEN / "ftrace_tgid.txt"
LINE = "           srv-7     [000] d..2.  {}.000000: tlb_flush: pages:1 reason:local (3)\n"


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mcost.cli", "trace", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["trace", *map(str, arguments)])
    out, err = capsys.readouterr()
    return int(str(stop.value.code)), out, err


def test_import_writes_a_trace_and_says_what_it_knows(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    done = process("import", str(STORY), "--sharers", "my srv*", "-o", str(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert "sharers: 101 my srv-1 x" in done.stdout
    assert "not known: which translations each CPU held" in done.stdout
    assert "recorded remote_calls" in done.stdout
    assert len(read_trace(out)) == len(read_trace(GOLDEN / "story.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_the_same_bytes_every_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv", "b.csv"):
        run(capsys, "import", STORY, "--sharers", "101", "-o", tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_json_and_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("import", STORY, "--sharers", "my*", "-o", tmp_path / "o.parquet")
    code, out, _ = run(capsys, *common, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["recorded"]["remote_calls"] == 2
    assert told["sharers"][0]["process"] == 101
    code, out, _ = run(capsys, *common, "--csv")
    assert out.splitlines()[0] == "what,value"
    assert "recorded received,1" in out.splitlines()


def test_info_shows_who_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "info", STORY)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["process", "names", "cpu_share", "flush_calls"]
    assert lines[1].split()[0] == "101"
    assert "ftrace" in out
    assert "kworker" not in out


def bad_files(folder: Path) -> dict[str, tuple[bytes, str]]:
    text = STORY.read_bytes()
    last = text.count(b"\n")
    packed = gzip.compress(text * 50)
    return {
        "empty": (b"", "the file is empty"),
        "empty gz": (gzip.compress(b""), "the file is empty"),
        "comments": (b"# tracer: nop\n#\n", "line 2: no events, only comments"),
        "binary": (text + b"\0\1\2\n", f"line {last + 1}: not text"),
        "trace.dat": (b"\x17\x08\x44tracing6\0", "trace-cmd report"),
        "perf.data": (b"PERFILE2aaaa", "perf script"),
        "prose": (b"one line\nof prose\n", "line 1: 'one line' is in no known layout"),
        "cut": (text[:-30], f"line {last}: the file is cut off"),
        "cut event": (
            text + b"  srv-7 [000] d..2. 11.000000: tlb_fl",
            f"line {last + 1}: the file is cut",
        ),
        "cut gz": (packed[: len(packed) // 2], "compressed data are damaged or cut off"),
        "no events": (b"  srv-7 [000] d..2. 11.000000: sys_clone: 0\n", "no sched_switch and no"),
        "broken": (text + b"not an event\n", f"line {last + 1}: 1 of {last + 1} lines are not"),
    }


NAMES = sorted(bad_files(Path()))


@pytest.mark.parametrize("name", NAMES)
def test_bad_files_are_refused_in_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, says = bad_files(tmp_path)[name]
    path, out = tmp_path / "recorded", tmp_path / "out.parquet"
    path.write_bytes(content)
    code, printed, error = run(capsys, "import", path, "--sharers", "my*", "-o", out)
    assert (code, printed) == (2, "")
    assert error.startswith(f"mcost: {path}: ")
    assert says in error
    assert error.count("\n") == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["recorded"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sharers", "postgres"], "matches no task in the whole file; must match tasks that"),
        (["--sharers", "77"], "'77' matches no task"),
        (["--sharers", ","], "names no task"),
        (["--sharers", "9-3"], "runs backwards: write 3-9"),
        (["--sharers", "my*", "--format", "perf"], "of 28 lines are not perf output"),
        (["--sharers", "my*", "--format", "lttng"], "unknown trace format 'lttng'"),
        (["--sharers", "my*", "--region", "600-500"], "region '600-500' must be START-END"),
        (["--sharers", "my*", "--touch", "some"], "unknown choice of touches 'some'"),
        (["--sharers", "my*", "--flushes", "mine"], "unknown choice of counted flushes"),
        (["--sharers", "my*", "--kind", "zapp"], "unknown kind of operation 'zapp'"),
        (["--sharers", "my*", "--full-pages", "0"], "full pages must be at least 1, not 0"),
        (["--sharers", "my*", "--page", "-1"], "page must be at least 0, not -1"),
        (["--sharers", "my*", "--merge-gap", "-1"], "merge gap must be at least 0"),
        (["--sharers", "my*", "--max-broken", "2"], "max broken must be a share"),
        (
            ["--sharers", "my*", "--tasks", str(STORY)],
            "line 1: '# tracer: nop' is not 'tid",
        ),
        (["--sharers", "my*", "--tasks", "absent"], "absent: No such file"),
        (["--sharers", "my*", "--json", "--csv"], "exclude each other"),
    ],
)
def test_bad_wishes_are_refused_in_one_line(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.parquet"
    code, printed, error = run(capsys, "import", STORY, *arguments, "-o", out)
    assert (code, printed) == (2, "")
    assert says in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_outputs_that_cannot_be_written_are_refused_before_reading(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out, says in (("o.txt", "must end in .parquet"), ("no/o.csv", "does not exist")):
        code, _, error = run(capsys, "import", "absent", "--sharers", "a", "-o", tmp_path / out)
        assert code == 2
        assert says in error


def test_some_broken_lines_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "recorded.txt"
    lines = [LINE.format(second) for second in range(700)]
    for at in range(6):
        lines[100 * at] = "half a line\n"
    path.write_text("".join(lines))
    out = tmp_path / "o.csv"
    code, printed, _ = run(capsys, "import", path, "--sharers", "srv", "-o", out, "--json")
    told = json.loads(printed)
    assert code == 0
    assert (told["broken"], told["broken_at"]) == (6, [1, 101, 201, 301, 401])
    code, _, error = run(
        capsys, "import", path, "--sharers", "srv", "-o", out, "--max-broken", "0.001"
    )
    assert code == 2
    assert "line 1: 6 of 700 lines are not ftrace output (first: 1, 101, 201, 301, 401)" in error


def test_a_failed_import_leaves_an_earlier_result_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.csv"
    out.write_text("earlier")
    code, _, _ = run(capsys, "import", STORY, "--sharers", "nobody", "-o", out)
    assert code == 2
    assert out.read_text() == "earlier"


def test_a_bundled_trace_as_a_process(tmp_path: Path) -> None:
    source = data_path("traces", "k6.1_n16_spin_s32.txt.gz")
    done = process(
        "import", str(source), "--sharers", "s0*", "-o", str(tmp_path / "o.parquet"), "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["recorded"]["received"] == 893
