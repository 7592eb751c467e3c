"""The values of the vocabulary: one name a thing, and scenarios that cannot be are refused."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcost.spec.counts import Counts
from mcost.spec.designs import DESIGNS, MEANING, VARIANTS
from mcost.spec.kernels import KERNELS, kernel
from mcost.spec.operations import OPERATIONS, cut, operation
from mcost.spec.placements import PLACEMENTS
from mcost.spec.scenario import Scenario
from mcost.spec.text import text_table
from mcost.spec.vocabulary import COUNT_NAMES


def test_counts_have_the_vocabularys_names_in_its_order():
    assert tuple(item.name for item in fields(Counts)) == COUNT_NAMES


@pytest.mark.parametrize("table", [DESIGNS + VARIANTS, KERNELS, OPERATIONS, PLACEMENTS])
def test_names_are_unique(table):
    names = [entry.name for entry in table]
    assert len(names) == len(set(names))


def test_the_ten_designs_and_their_columns_are_explained():
    assert [one.name for one in DESIGNS] == [
        "host-mm",
        "notifier",
        "per-mm",
        "merged",
        "batched",
        "region-mask",
        "classic",
        "broadcast",
        "deferred",
        "exact",
    ]
    for one in DESIGNS + VARIANTS:
        assert one.steps
        assert one.source
        for column, meanings in MEANING.items():
            assert getattr(one, column) in meanings


def test_gather_capacity_is_what_the_kernels_constants_give():
    assert kernel("6.1").gather_capacity == 9698
    assert kernel("6.12").gather_capacity == 9678


@pytest.mark.parametrize(
    ("name", "version", "hook", "size"),
    [
        ("zap", "6.12", "event", 512),
        ("zap", "6.12", "pair", None),
        ("zap_clean", "6.1", "event", 9698),
        ("pte", "6.12", "batch", 1),
        ("migrate", "6.1", "batch", 1),
        ("migrate", "6.12", "batch", 512),
        ("migrate", "6.12", "event", 1),
        ("reclaim", "6.12", "batch", 31),
        ("reclaim", "6.12", "event", 1),
        ("reclaim_dirty", "6.12", "batch", 1),
        ("upgrade", "6.12", "event", 0),
    ],
)
def test_how_an_operation_is_cut(name, version, hook, size):
    assert cut(operation(name), kernel(version), hook).size == size


@pytest.mark.parametrize(
    ("fields_", "says"),
    [
        ({"cpus": 0}, "cpus: 0 is out of range"),
        ({"cpus": 2.5}, "cpus: 2.5 is not a whole number"),
        ({"sharers": -1}, "sharers: -1 is out of range"),
        ({"pages": 0}, "pages: 0"),
        ({"offset": 512}, "offset: 512 is out of range, must be 0 to 511"),
        ({"share": None}, "share: placement snapshot needs a value"),
        ({"share": -0.1}, "share: -0.1 is out of range"),
        ({"share": 0.7, "idle": 0.4}, "together 0 to 1"),
        ({"age": 1.0}, "age: placement snapshot has no use for it"),
        ({"threads": 2}, "threads: 2 means nothing in placement snapshot"),
        ({"initiator": "someone"}, "unknown initiator 'someone'"),
        ({"sharers": 0, "initiator": "sharer"}, "initiator: sharer needs a CPU that runs one"),
        ({"placement": "pinned", "share": None, "initiator": "apart"}, "apart needs a CPU"),
        ({"placement": "roaming", "share": None, "rate": 1.0}, "age: placement roaming needs"),
    ],
)
def test_impossible_scenarios_name_field_and_range(fields_, says):
    base = {"cpus": 4, "sharers": 4, "share": 0.5}
    with pytest.raises(ValueError, match=says.replace("+", r"\+")):
        Scenario(**{**base, **fields_})


def test_a_scenario_lists_only_what_it_uses():
    assert "rate" not in Scenario(4, 2, share=0.5).as_dict()
    assert Scenario(4, 2, share=0.5).as_dict()["idle"] == 0.0
    assert Scenario(4, 2, placement="uniform").kernel == "6.14"


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "word": st.text("abc xyz", max_size=8),
                "number": st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9)),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_tables_are_ascii_and_their_numbers_line_up(rows):
    rows = [{"word": row["word"], "number": row["number"]} for row in rows]
    lines = text_table(rows).splitlines()
    assert len(lines) == len(rows) + 1
    assert all(line.isascii() and "\t" not in line for line in lines)
    assert len({len(line) for line in lines}) == 1
