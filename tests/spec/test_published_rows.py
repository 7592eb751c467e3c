"""Files of published measurements: faults are named by file and line."""

from __future__ import annotations

import pytest

from mcost.spec.files import data_path
from mcost.spec.published import COLUMNS, is_source, published, read_rows, short_ids

HEADER = ",".join(COLUMNS)
GOOD = "A-1,mail,2020,x86,2,1,1,flush,latency,12.5,ns,body,read"


def test_the_bundled_rows_are_all_there() -> None:
    lines = data_path("published.csv").read_text(encoding="utf-8").count("\n")
    assert len(published()) == lines - 1
    row = published()["S01-before-02"]
    assert (row.cpus, row.pages, row.value, row.unit) == (2, 1, 1436.0, "ns")
    assert published()["S05-full"].pages is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"column 'id' is missing"),
        (HEADER.replace("unit", "units") + "\n" + GOOD, r"column 'unit' is missing"),
        (HEADER + "\n", r"no rows below the header"),
        (HEADER + "\n" + GOOD.replace("12.5", "fast"), r"line 2: value 'fast' is not a number"),
        (HEADER + "\n" + GOOD.replace("12.5", "inf"), r"line 2: value 'inf' is not finite"),
        (HEADER + "\n" + GOOD.replace("read", "seen"), r"line 2: confidence 'seen' must be one"),
        (HEADER + "\n" + GOOD[3:], r"line 2"),
        (HEADER + "\n" + GOOD + "\n" + GOOD, r"line 3: id 'A-1' is there twice"),
        (HEADER + "\n" + ",mail" + GOOD[8:], r"line 2: id is empty"),
    ],
)
def test_faults(tmp_path, text, says) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=says) as caught:
        read_rows(path)
    assert str(caught.value).startswith("rows.csv: ")


def test_bytes_that_are_no_text_are_refused(tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a readable CSV file"):
        read_rows(path)


def test_runs_of_ids_are_short_and_are_sources() -> None:
    ids = [f"S05-{k:02d}" for k in range(1, 34)]
    assert short_ids([*ids, "S05-full", "S06-amd-01h"]) == (
        "S05-01..S05-33", "S05-full", "S06-amd-01h",
    )  # fmt: skip
    assert short_ids(["S05-01", "S05-02"]) == ("S05-01", "S05-02")
    assert is_source("S05-01..S05-33")
    assert not is_source("S05-01..S05-99")
    assert not is_source("nothing")
