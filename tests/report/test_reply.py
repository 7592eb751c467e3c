"""The reply: width, ASCII, alignment, agreement with its CSV; hostile mail is refused."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcost.report.asked import read_asked
from mcost.report.letter import make
from mcost.report.mail import LIMIT, compose, quoted, read_message
from mcost.report.reply import QUESTIONS
from mcost.spec.files import data_path

SAMPLE = data_path("messages", "sample.eml")
HEAD = b"From: A <a@example.org>\nMessage-ID: <1@example.org>\nSubject: s\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("reply")
    make(read_asked(None), read_message(SAMPLE), "mcost reply --to sample.eml -o reply", target)
    return target


def test_body_is_narrow_ascii_with_spaces_only(folder: Path) -> None:
    text = (folder / "reply.txt").read_bytes().decode("ascii")
    assert max(map(len, text.splitlines())) <= 72
    assert "\t" not in text
    assert not re.search(r" +$", text, re.MULTILINE)


def tables(text: str) -> dict[str, list[list[str]]]:
    lines = text.splitlines()
    found = {}
    for count, title in QUESTIONS.items():
        start = lines.index(title) + 1
        end = lines.index("", start)
        found[count] = [line.split() for line in lines[start:end]]
    return found


def test_tables_agree_with_the_csv(folder: Path) -> None:
    text = (folder / "reply.txt").read_text()
    with (folder / "reply.csv").open() as file:
        assert file.readline().startswith("# mcost ")
        rows = {(row["design"], row["count"]): row for row in csv.DictReader(file)}
    designs = [one.name for one in read_asked(None).designs]
    for count, lines in tables(text).items():
        assert [line[0] for line in lines[1:]] == designs  # baseline first
        assert lines[1][3] == "0.00%"
        for name, mean, half, change, model in lines[1:]:
            row = rows[name, count]
            unit = 0.5 * 10.0 ** -len(mean.partition(".")[2])
            assert abs(float(mean) - float(row["mean"])) <= unit * 1.001
            assert abs(float(half.removeprefix("+/-")) - float(row["half_width"])) <= unit * 1.001
            assert abs(float(model) - float(row["model"])) <= unit * 1.001
            if name != designs[0] and row["significant"] == "False":
                assert change == "~"
            elif change.endswith("%"):
                assert abs(float(change[:-1]) - float(row["change"] or 0)) <= 0.0051


def test_columns_are_aligned(folder: Path) -> None:
    lines = (folder / "reply.txt").read_text().splitlines()
    for title in QUESTIONS.values():
        start = lines.index(title) + 1
        block = lines[start : lines.index("", start)]
        assert len({len(line) for line in block}) == 1
        ends = {tuple(m.end() for m in re.finditer(r"\S+", line))[1:] for line in block[1:]}
        assert len(ends) == 1


def test_body_stands_alone(folder: Path) -> None:
    text = " ".join((folder / "reply.txt").read_text().split())
    for part in ("minus = less", "~ = no significant", "stale hits: 0 of", "model vs simulator:",
                 "model vs kernel counters:", "Left out:", "trials sha256", "seed 1", "reproduce:",
                 "per-mm rounds = P*S*(1 - (1 - rho/S)**(N - 1))"):  # fmt: skip
        assert part in text
    assert {path.suffix for path in folder.iterdir()} == {
        ".txt", ".csv", ".svg", ".png", ".pdf", ".eml",
    }  # fmt: skip


def test_headers_answer_the_message(folder: Path) -> None:
    mail = message_from_bytes((folder / "reply.eml").read_bytes(), policy=policy.default)
    assert mail["In-Reply-To"] == "<20260202100000.1234-1-reviewer@example.org>"
    assert mail["References"].split()[-1] == mail["In-Reply-To"]
    assert len(mail["References"].split()) == 2
    assert mail["Subject"].startswith("Re: [PATCH 08/22]")
    assert mail["Subject"].count("Re:") == 1
    assert [one.addr_spec for one in mail["To"].addresses] == ["reviewer@example.org"]
    assert "linux-mm@example.org" in mail["Cc"]
    assert "reviewer@example.org" not in mail["Cc"]
    assert mail.get_content_type() == "text/plain"
    assert mail["Content-Type"].params.get("format", "fixed") == "fixed"
    assert mail.get_content() == (folder / "reply.txt").read_text()


def test_the_same_reply_twice(folder: Path, tmp_path: Path) -> None:
    command = "mcost reply --to sample.eml -o reply"
    for name in make(read_asked(None), read_message(SAMPLE), command, tmp_path):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


HOSTILE = {
    "empty": b"",
    "binary": bytes(range(256)) * 20,
    "no id": b"From: A <a@example.org>\n\nx\n",
    "no sender": b"Message-ID: <1@example.org>\n\nx\n",
    "bad id": b"From: A <a@example.org>\nMessage-ID: nothing\n\nx\n",
    "two ids": HEAD + b"Message-ID: <2@example.org>\n\nx\n",
    "injected subject": b"From: A <a@example.org>\nMessage-ID: <1@example.org>\n"
    b"Subject: =?utf-8?q?s=0D=0ABcc:_b@example.org?=\n\nx\n",
    "injected name": b"From: =?utf-8?q?A=0ABcc:_b@example.org?= <a@example.org>\n"
    b"Message-ID: <1@example.org>\n\nx\n",
    "odd charset": HEAD + b"Content-Type: text/plain; charset=klingon\n\nx\n",
    "wrong charset": HEAD + b"Content-Type: text/plain; charset=utf-8\n\n\xff\xfe\n",
    "broken multipart": HEAD + b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\nx",
    "html only": HEAD + b"Content-Type: text/html\n\n<p>x</p>\n",
    "huge": HEAD + b"\n" + b"x\n" * (LIMIT // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_one_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.eml"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(ValueError, match=r"^m\.eml: ") as raised:
        read_message(path)
    assert "\n" not in str(raised.value)


@settings(deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, tail: bytes,
                                       headed: bool) -> None:  # fmt: skip
    path = tmp_path_factory.getbasetemp() / "any.eml"
    path.write_bytes((HEAD if headed else b"") + tail)
    try:
        original = read_message(path)
    except ValueError:
        return
    made = message_from_bytes(compose(original, "body\n"), policy=policy.default)
    assert set(made.keys()) <= {"Subject", "To", "Cc", "In-Reply-To", "References",
                                "Content-Transfer-Encoding", "MIME-Version",
                                "Content-Type"}  # fmt: skip
    assert made.get_content() == "body\n"
    assert all(line.isascii() and len(line) <= 72 for line in quoted(original, 72))


def test_first_message_of_an_mbox(tmp_path: Path) -> None:
    path = tmp_path / "t.mbox"
    body = SAMPLE.read_bytes()
    path.write_bytes(b"From x Mon Feb  2 10:00:00 2026\n" + body + b"\nFrom y Mon Feb  2\n" + HEAD)
    assert read_message(path) == read_message(SAMPLE)


def test_quotes_are_filled_and_keep_their_depth(tmp_path: Path) -> None:
    path = tmp_path / "m.eml"
    long = "word " * 30
    path.write_bytes(HEAD + b"\n" + f"> {long}\nshort\n\u2019\n".encode("ascii", "ignore"))
    lines = quoted(read_message(path), 40)
    assert max(map(len, lines)) <= 40
    assert sum(line.startswith(">> word") for line in lines) > 2
    assert "> short" in lines


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cpus = ", "not a readable scenario"),
        ("cpu = 3\nsharers = 2\nshare = 0.5", "cpus"),
        ("cpus = 0\nsharers = 2\nshare = 0.5", "cpus: 0 is out of range"),
        ("cpus = '4'\nsharers = 2\nshare = 0.5", "must be a number"),
        ("cpus = 4\nsharers = 2\nshare = 0.5\ndesigns = ['merged']", "at least two"),
        ("cpus = 4\nsharers = 2\nshare = 0.5\ndesigns = ['merged', 'x']", "unknown design"),
        ("cpus = 4\nsharers = 2\nshare = 0.5\nseed = -1", "seed"),
    ],
)
def test_bad_scenario_files(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=told) as raised:
        read_asked(path)
    assert str(raised.value).startswith("s.toml: ")


def test_cli_answers_another_question_and_refuses_before_it_writes(tmp_path: Path) -> None:
    question = tmp_path / "s.toml"
    question.write_text(
        'cpus = 8\nsharers = 4\nthreads = 2\nplacement = "uniform"\nshare = 0.9\n'
        'designs = ["merged", "host-mm"]\n'
    )

    def reply(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mcost.cli", "reply", "-o", str(tmp_path / "out"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    bad = tmp_path / "bad.eml"
    bad.write_bytes(HOSTILE["injected subject"])
    done = reply("--to", str(bad))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "out").exists()
    done = reply("--scenario", str(question))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "reply.txt").read_text()
    assert max(map(len, text.splitlines())) <= 72
    assert re.search(r"host-mm: [1-9]\d* of \d+", " ".join(text.split()))
