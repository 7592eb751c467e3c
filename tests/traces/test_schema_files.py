"""Traces in memory and on disk: what is written comes back, what is wrong is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stories import retell, story
from strategies import bounded, traces

from mcost.traces.checks import MOST_CPUS, check_trace
from mcost.traces.files import read_trace, write_trace
from mcost.traces.schema import COLUMNS, EVENTS, KINDS, USES, Trace, TraceError, concatenate

HEADER = "time,cpu,event,mm,page,pages,kind\n"
GOOD = (
    HEADER + "0,0,attach,1,,,\n1,0,switch,1,,,\n2,0,touch,,5,,\n3,1,invalidate,,5,2,zap\n"
    "4,0,touch,,-7,,\n5,1,tick,,,,\n"
)
SUFFIXES = (".csv", ".csv.gz", ".parquet")


def same_where_used(one: Trace, other: Trace) -> bool:
    """Whether all cells agree that an event uses; the others mean nothing."""
    return len(one) == len(other) and all(
        np.array_equal(getattr(one, name)[used], getattr(other, name)[used])
        for name in COLUMNS
        for used in [np.isin(one.event, USES[name])]
    )


def complaint(path: Path, **options: int) -> str:
    """What reading the file says; one line that names it."""
    with pytest.raises(TraceError) as raised:
        read_trace(path, **options)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable(), "one line"
    assert len(message) < len(str(path)) + 300
    return message.removeprefix(f"{path}: ")


def csv_says(folder: Path, text: str | bytes, **options: int) -> str:
    path = folder / "bad.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return complaint(path, **options)


def parquet_says(folder: Path, **columns: object) -> str:
    good = {
        "time": [0], "cpu": [0], "event": ["tick"], "mm": [0], "page": [0], "pages": [0],
        "kind": [""],
    }  # fmt: skip
    path = folder / "bad.parquet"
    kept = {name: cells for name, cells in (good | columns).items() if cells is not None}
    pyarrow.parquet.write_table(pa.table(kept), path)
    return complaint(path)


# ---------------------------------------------------------------------------- round trips


@settings(parent=bounded(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trace=traces(), suffix=st.sampled_from(SUFFIXES))
def test_what_is_written_is_read(tmp_path: Path, trace: Trace, suffix: str) -> None:
    path = tmp_path / f"trace{suffix}"
    write_trace(trace, path)
    assert same_where_used(trace, read_trace(path))
    assert [each.name for each in tmp_path.iterdir()] == [path.name], "nothing left beside it"
    path.unlink()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_same_trace_same_bytes(tmp_path: Path, suffix: str) -> None:
    trace = story("attach mm=1\n switch cpu=1 mm=1\n touch cpu=1 page=5\n invalidate page=5")
    files = [tmp_path / name / f"trace{suffix}" for name in ("one", "two")]
    for path in files:
        path.parent.mkdir()
        write_trace(trace, path)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_csv_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(GOOD)
    trace = read_trace(path, cpus=2)
    assert [EVENTS[code] for code in trace.event] == [
        "attach", "switch", "touch", "invalidate", "touch", "tick",
    ]  # fmt: skip
    assert trace.page.tolist() == [0, 0, 5, 5, -7, 0]
    assert KINDS[trace.kind[3]] == "zap"
    assert (trace.cpus, trace.sharers.tolist()) == (2, [1])


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace("kind\n", "kind,note\n").replace("zap\n", "zap,x\n").replace(",,\n", ",,,\n"),
        GOOD.replace("5,1,tick,,,,", "5,1,tick,,,,anything"),
    ],
    ids=["crlf", "byte-order-mark", "extra-column", "unused-cell"],
)
def test_harmless_differences(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(text.encode())
    assert len(read_trace(path)) == 6


def test_parquet_written_by_pandas(tmp_path: Path) -> None:
    path = tmp_path / "trace.parquet"
    frame = pd.DataFrame(
        {"time": [0, 1], "cpu": np.array([0, 3], np.uint16), "event": ["tick", "invalidate"],
         "mm": [0, 0], "page": [0, 9], "pages": [0, 1], "kind": ["", "pte"]},
    )  # fmt: skip
    frame["event"] = frame["event"].astype("category")
    frame.to_parquet(path)
    assert retell(read_trace(path)) == (
        "tick cpu=0 at=0\ninvalidate cpu=3 at=1 page=9 pages=1 kind=pte"
    )


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    trace = story("tick")
    (tmp_path / "trace.txt").write_text("old")
    with pytest.raises(TraceError, match=r"must end in \.parquet, \.csv, \.csv\.gz"):
        write_trace(trace, tmp_path / "trace.txt")
    assert (tmp_path / "trace.txt").read_text() == "old"
    with pytest.raises(FileNotFoundError):
        write_trace(trace, tmp_path / "nowhere" / "trace.csv")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["trace.txt"]


# ------------------------------------------------------------------------------ bad files


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        read_trace(tmp_path / "none.csv")
    assert missing.value.filename == str(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError):
        read_trace(tmp_path)


def test_empty_files(tmp_path: Path) -> None:
    assert csv_says(tmp_path, "") == (
        "the file is empty; a trace needs the columns time,cpu,event,mm,page,pages,kind"
    )
    assert csv_says(tmp_path, HEADER) == "the trace has no events"
    assert csv_says(tmp_path, "\n\n").startswith("not a readable trace (")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("junk.csv", bytes(range(256)) * 40),
        ("zeros.csv", b"\0" * 100),
        ("junk.csv.gz", b"this is no gzip"),
        ("cut.csv.gz", gzip.compress(GOOD.encode())[:-9]),
        ("wrong-sum.csv.gz", gzip.compress(GOOD.encode())[:-8] + b"\0" * 8),
        ("junk.parquet", b"this is no parquet file"),
        ("short.parquet", b"PAR1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert complaint(tmp_path / name).startswith("not a readable trace (")


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_truncated_parquet(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "cut.parquet"
    write_trace(story("tick\n" * 500), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    assert complaint(path).startswith("not a readable trace (")


def test_unknown_format(tmp_path: Path) -> None:
    (tmp_path / "trace.dat").write_text(GOOD)
    assert complaint(tmp_path / "trace.dat").startswith("unknown format; must end in .parquet")


@pytest.mark.parametrize("name", COLUMNS)
def test_missing_column(tmp_path: Path, name: str) -> None:
    said = csv_says(tmp_path, GOOD.replace(name, "other", 1))
    assert said == f"column {name!r} is missing; needed are {HEADER.strip()}"
    assert parquet_says(tmp_path, **{name: None}) == said


def test_a_column_twice(tmp_path: Path) -> None:
    said = csv_says(tmp_path, HEADER.replace("mm", "cpu") + "0,0,tick,0,0,0,\n")
    assert said.startswith("column 'cpu' stands there 2 times")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,x,tick,,,,", "cpu 'x' is not a whole number of 64 bits"),
        ("0.5,0,tick,,,,", "time '0.5' is not a whole number of 64 bits"),
        ("99999999999999999999,0,tick,,,,", "time '99999999999999999999' is not a whole number"),
        ("1,3000000000,tick,,,,", "cpu 3000000000 is out of range"),
        ("1,4294967296,tick,,,,", "cpu 4294967296 is out of range"),
        (f"1,{MOST_CPUS},tick,,,,", f"cpu {MOST_CPUS} is not below {MOST_CPUS}"),
        ("1,-1,tick,,,,", "cpu -1 is negative"),
        (",0,tick,,,,", "tick without time"),
        ("1,,tick,,,,", "tick without cpu"),
        ("1,0,switch,,,,", "switch without mm"),
        ("1,0,attach,,,,", "attach without mm"),
        ("1,0,touch,,,,", "touch without page"),
        ("1,0,invalidate,,,1,zap", "invalidate without page"),
        ("1,0,invalidate,,1,,zap", "invalidate without pages"),
        ("1,0,invalidate,,1,1,", "kind '' is unknown; must be one of zap"),
        ("1,0,invalidate,,1,1,zip", "kind 'zip' is unknown; must be one of zap"),
        ("1,0,,,,,", "event '' is unknown; must be one of switch"),
        ("1,0,jump,,,,", "event 'jump' is unknown; must be one of switch"),
        (f"1,0,{'jump' * 100},,,,", "event 'jumpjump"),
        ('1,0,"tick\n",,,,', "event 'tick\\n' is unknown"),
        ("1,0,invalidate,,1,0,zap", "invalidate of 0 pages; must be at least 1"),
        ("1,0,invalidate,,1,-5,zap", "invalidate of -5 pages; must be at least 1"),
        ("1,0,invalidate,,-1,1,zap", "invalidate of page -1; pages of the region are >= 0"),
        ("1,0,invalidate,,9223372036854775807,2,zap", "page 9223372036854775807 is out of range"),
        ("1,0,invalidate,,5,9223372036854775807,zap", "9223372036854775807 pages from 5 end"),
        ("9223372036854775807,0,tick,,,,", "time 9223372036854775807 ns is out of range"),
        ("-1,0,tick,,,,", "time -1 ns is out of range"),
        ("1,0,attach,-1,,,", "attach of mm -1; must be >= 0"),
        ("1,0,switch,-2,,,", "switch to mm -2; must be >= 0, or -1 for none"),
        ("1,0,detach,9,,,", "mm 9 is not attached"),
        ("1,0,attach,3,,,", "mm 3 is attached already"),
    ],
)
def test_bad_rows(tmp_path: Path, row: str, said: str) -> None:
    # Row 1 is the header and rows 2 and 3 are fine, so the bad one is row 4.
    text = HEADER + "0,0,attach,3,,,\n0,0,tick,,,,\n" + row + "\n9,0,tick,,,,\n"
    assert csv_says(tmp_path, text).startswith(f"row 4: {said}")


def test_the_first_bad_row_is_named(tmp_path: Path) -> None:
    # Large enough for Arrow to read in several blocks; 19-digit times are no error.
    rows = [f"{1700000000000000000 + at},0,tick,,,,\n" for at in range(100_000)]
    rows[70_000] = "17x,0,tick,,,,\n"
    rows[80_000] = "18x,0,tick,,,,\n"
    said = csv_says(tmp_path, HEADER + "".join(rows))
    assert said == "row 70002: time '17x' is not a whole number of 64 bits"


def test_rows_with_too_few_cells(tmp_path: Path) -> None:
    said = csv_says(tmp_path, HEADER + "0,0,tick,,,,\n0,0,tick\n")
    assert "Row #3: Expected 7 columns, got 3" in said


def test_cpus_of_the_machine(tmp_path: Path) -> None:
    text = HEADER + "0,1,tick,,,,\n0,2,tick,,,,\n"
    assert csv_says(tmp_path, text, cpus=2) == "row 3: cpu 2 is not below 2, the number of CPUs"


def test_time_going_backwards(tmp_path: Path) -> None:
    said = csv_says(tmp_path, HEADER + "5,0,tick,,,,\n5,0,tick,,,,\n4,0,tick,,,,\n")
    assert said == "row 4: time goes back from 5 to 4 ns"


@pytest.mark.parametrize(
    ("column", "cells", "said"),
    [
        ("cpu", [0.5], "column 'cpu' holds double, must be whole numbers"),
        ("cpu", [True], "column 'cpu' holds bool, must be whole numbers"),
        ("time", ["1"], "column 'time' holds string, must be whole numbers"),
        ("event", [3], "column 'event' holds int64, must be words"),
        ("kind", [3], "column 'kind' holds int64, must be words"),
        ("event", [None], "row 1: event '' is unknown; must be one of switch"),
        ("event", ["jump"], "row 1: event 'jump' is unknown; must be one of switch"),
        ("cpu", [None], "row 1: tick without cpu, must be a whole number"),
        ("time", pa.array([1 << 63], pa.uint64()), "row 1: time 9223372036854775808 is out of"),
        ("cpu", [1 << 32], "row 1: cpu 4294967296 is out of range"),
    ],
)
def test_bad_parquet(tmp_path: Path, column: str, cells: object, said: str) -> None:
    assert parquet_says(tmp_path, **{column: cells}).startswith(said)


# ------------------------------------------------------------------- who touches the region


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("switch mm=1\n touch page=5", 2),
        ("switch mm=1\n touch page=5\n attach mm=1", 2),
        ("attach mm=1\n switch mm=1\n touch page=5\n detach mm=1\n touch page=5", 5),
        ("attach mm=1\n attach mm=2\n switch mm=2\n detach mm=2\n touch page=0", 5),
        ("attach mm=1\n switch mm=1\n switch cpu=1 mm=2\n touch page=5\n touch cpu=1 page=5", 5),
        ("switch mm=2\n tick\n invalidate page=3\n touch page=5", 4),
    ],
)
def test_touches_by_strangers(text: str, row: int) -> None:
    with pytest.raises(TraceError, match=rf"^row {row}: mm \d touches page \d of the region"):
        check_trace(story(text))


@pytest.mark.parametrize(
    "text",
    [
        "touch page=5",
        "switch mm=1\n touch page=-5",
        "switch mm=1\n switch mm=-1\n touch page=5",
        "switch mm=1\n idle\n touch page=5",
        "attach mm=1\n switch mm=1\n idle\n switch mm=1\n touch page=5",
        "attach mm=1\n detach mm=1\n attach mm=1\n switch mm=1\n touch page=5",
        "switch mm=1\n attach cpu=9 mm=1\n touch page=5",
    ],
)
def test_touches_that_are_fine(text: str) -> None:
    check_trace(story(text))


@bounded(100)
@given(trace=traces(), place=st.integers(0, 10**6))
def test_checks_accept_valid_traces_only(trace: Trace, place: int) -> None:
    check_trace(trace, trace.cpus)
    at = place % len(trace)
    columns = {name: getattr(trace, name).copy() for name in COLUMNS}
    columns["time"][at:] -= columns["time"][at] + 1
    with pytest.raises(TraceError, match=rf"^row {at + 1}: time "):
        check_trace(Trace.build(**columns))


# ------------------------------------------------------------------------------ in memory


@pytest.mark.parametrize("size", [10, 200_000])
def test_of_two_broken_rules_the_earlier_row_is_named(size: int) -> None:
    time, cpu = np.arange(size), np.zeros(size, np.int64)
    time[size // 2], cpu[size // 2 - 2] = 0, -1  # time is asked about before CPUs are
    trace = Trace.build(time=time, cpu=cpu, event=np.full(size, EVENTS.index("tick")))
    with pytest.raises(TraceError, match=f"row {size // 2 - 1}: cpu -1 is negative"):
        check_trace(trace)


def test_first_row_counts_from_where_the_caller_says() -> None:
    with pytest.raises(TraceError, match=r"^row 11: mm 1 is not attached$"):
        check_trace(story("tick\n detach mm=1"), first_row=10)


@pytest.mark.parametrize(("column", "code"), [("event", len(EVENTS)), ("kind", len(KINDS))])
def test_codes_that_name_nothing(column: str, code: int) -> None:
    columns = {"time": [0], "event": [EVENTS.index("invalidate")], "pages": [1]}
    with pytest.raises(TraceError, match=rf"^row 1: {column} code {code} is not below {code}$"):
        check_trace(Trace.build(**(columns | {column: [code]})))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"cpu": [0]}, "a trace needs the column 'time'"),
        ({"time": [0], "cpus": [0]}, "unknown column 'cpus'; must be one of time, cpu"),
        ({"time": [0, 1], "cpu": [0]}, r"column 'cpu' has shape \(1,\), 'time' has \(2,\)"),
        ({"time": [[0], [1]]}, "column 'time' has shape"),
        ({"time": [0], "cpu": [2**31]}, "column 'cpu' holds 2147483648 at place 0"),
        ({"time": [0, 1], "event": [0, 256]}, "column 'event' holds 256 at place 1"),
        ({"time": [0], "kind": [-1]}, "column 'kind' holds -1 at place 0"),
        ({"time": [0.5]}, "column 'time' holds 0.5 at place 0"),
        ({"time": [float("nan")]}, "column 'time' holds nan at place 0"),
        ({"time": ["now"]}, "column 'time' holds <U3, must be whole numbers"),
    ],
)
def test_columns_that_make_no_trace(columns: dict[str, list[object]], said: str) -> None:
    with pytest.raises(TraceError, match=f"^{said}"):
        Trace.build(**columns)  # type: ignore[arg-type]


def test_parts_one_after_another() -> None:
    one, two = story("tick cpu=1 at=5"), story("idle cpu=2 at=7\n tick at=8")
    both = concatenate([one, two])
    assert retell(both) == "\n".join([retell(one), retell(two)])
    assert len(both) == 3
    assert both.cpus == 3


def test_sharers_in_attach_order() -> None:
    trace = story("attach mm=9\n attach mm=2\n detach mm=9\n attach mm=9\n switch mm=5")
    assert trace.sharers.tolist() == [9, 2]
    assert Trace.build(time=[]).cpus == 0
