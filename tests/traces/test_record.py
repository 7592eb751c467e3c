"""Recipes name what their tool and kernel have, and nothing is run."""

from __future__ import annotations

import json
import re

import pytest

from mcost.cli import main
from mcost.traces.record import TOOLS, recipe


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("kernel", ["4.19", "6.1", "6.4.1", "6.12.117-1-amd64", "6.18"])
def test_the_commands_enable_just_what_is_told(tool: str, kernel: str) -> None:
    made = recipe(kernel, tool, seconds=7)
    text = "\n".join(made.commands)
    for name, _ in made.tells:
        assert re.search(rf"[:/]{name}\b", text), name
    for name, _ in made.missing:
        assert name not in text
    assert {"sched_switch", "tlb_flush"} <= {name for name, _ in made.tells}
    assert "sleep 7" in text
    assert "trace.txt.gz" in text
    assert "ps -eLo tid,tgid,ppid,comm > tasks.txt" in made.commands
    assert "ps -eLo tid,tgid,ppid,comm >> tasks.txt" in made.commands


def test_versions_differ_where_kernels_do() -> None:
    def has(kernel: str) -> set[str]:
        return {name for name, _ in recipe(kernel).tells}

    assert has("6.1") == {"sched_switch", "sched_migrate_task", "tlb_flush", "mcost_flush"}
    assert has("6.12") - has("6.1") == {
        "ipi_send_cpu", "ipi_send_cpumask", "csd_queue_cpu", "csd_function_entry",
    }  # fmt: skip
    assert "mcost_flush" not in has("5.4")
    # By offset where we ran it, by name later.
    assert "+8(%si)" in recipe("6.12").commands[0]
    assert "info->start" in recipe("6.14").commands[0]
    assert has("6.14") - has("6.12") == {"mcost_mm"}


def test_what_is_set_up_is_taken_down() -> None:
    text = "\n".join(recipe("6.12").commands)
    assert text.index("mkdir /sys") < text.index("rmdir /sys")
    assert "-:mcost/mcost_flush" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kernel", "new"], "kernel 'new' is no version"),
        (["--tool", "lttng"], "unknown tool 'lttng'"),
        (["--seconds", "0"], "seconds must be at least 1, not 0"),
    ],
)
def test_bad_wishes(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["trace", "record", *arguments])
    assert stop.value.code == 2
    assert says in capsys.readouterr().err


def test_printed_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["trace", "record", "--tool", "perf", "--kernel", "6.12"])
    text = capsys.readouterr().out
    assert "perf record -a" in text
    assert "flush_tlb_all" in text
    with pytest.raises(SystemExit):
        main(["trace", "record", "--json"])
    assert json.loads(capsys.readouterr().out)["kernel"] == "6.12"
