"""What the command line shows: help under headings, narrow terminals, other encodings, completion, the page."""

import io
import json
import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from rich.console import Console

from fastnn.cli import main
from fastnn.cli.commands import SECTIONS, fastnn
from fastnn.cli.stand_ins import show_stand_ins
from fastnn.cli.training import _print_answer
from fastnn.experiment.answers import Answer, Row, Table, for_people
from fastnn.recipes import ALL
from tests.tiny import jit_only

SHORT = ["train", "blobs", "--epochs", "2", "--passes", "20", "--compare", "none"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def help_of(*words):
    result = CliRunner().invoke(fastnn, [*words, "--help"], prog_name="fastnn", terminal_width=80)
    assert result.exit_code == 0
    return result.output


def commands():
    """The words of every command that has a help page."""
    yield ()
    for name, command in fastnn.commands.items():
        yield (name,)
        yield from ((name, inner) for inner in getattr(command, "commands", ()))


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_help_has_80_columns(words):
    assert max(map(len, help_of(*words).splitlines())) <= 80


def test_every_command_stands_under_a_heading():
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(fastnn.commands)
    lines = help_of().splitlines()
    assert [line for line in lines if line.endswith(":") and not line.startswith(" ")] == [
        "Options:", *(f"{heading}:" for heading in SECTIONS),
    ]  # fmt: skip
    assert not any("..." in line for line in lines[1:]), "a command's line is cut short"


@pytest.mark.parametrize("system", ALL)
def test_every_option_is_shown_once_under_a_heading(system):
    text, command = help_of("train", system), fastnn.commands["train"].commands[system]
    listed = [re.match(r"  (--[\w-]+(?:, --[\w-]+)*) ", line) for line in text.splitlines()]
    shown = [flag for line in listed if line for flag in line[1].split(", ")]
    for parameter in command.params:
        for flag in (flag for flag in parameter.opts if flag.startswith("--")):
            assert shown.count(flag) == 1, flag
    assert "Settings:" in text
    assert f"fastnn train {system}" in text.partition("Examples:")[2] or system == "table"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_help_tells_completion_and_it_completes(shell):
    assert f"_FASTNN_COMPLETE={shell}_source fastnn" in help_of()
    words = {"bash": "fastnn train mo", "zsh": "fastnn train mo", "fish": "fastnn train mo"}[shell]
    given = {
        "_FASTNN_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": "mo" if shell == "fish" else "2",
    }
    result = CliRunner().invoke(fastnn, [], prog_name="fastnn", env=given, complete_var="_FASTNN_COMPLETE")
    assert "moons" in result.output
    assert "blobs" not in result.output


@jit_only
def test_a_training_ends_with_the_page_to_open(here, capsys):
    assert main(SHORT) == 0
    page = os.path.join("runs", "blobs", "report.html")
    assert capsys.readouterr().out.splitlines()[-1] == f"open {page} in a browser: all this with its pictures"
    assert os.path.exists(page)


@jit_only
def test_json_and_quiet_print_nothing_else(here, capsys):
    assert main([*SHORT, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads((here / "runs/blobs/summary.json").read_text("utf-8"))
    assert "epoch" in err
    assert main([*SHORT, "--quiet", "--fresh"]) == 0
    assert capsys.readouterr() == (os.path.join("runs", "blobs", "report.html") + "\n", "")


@jit_only
def test_no_table_is_wider_than_the_terminal(here, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert main([*SHORT, "--compare", "depths"]) == 0
    boxes = [line for line in capsys.readouterr().out.splitlines() if line[:1] in "┏┃┡│└"]
    assert boxes
    assert max(map(len, boxes)) <= 60


@pytest.mark.parametrize("label", ["affine, ReLU", "a net with a long name, longer than its column"])
def test_figures_and_words_of_an_answer_stay_whole(capsys, monkeypatch, label):
    monkeypatch.setenv("COLUMNS", "80")
    figures = {f"{name}_error": f"{number}.40e-11" for number, name in enumerate("abcdef", 1)}
    question = "Which of these questions is so long that a terminal of eighty characters breaks it within a word?"
    _print_answer(Console(), Answer("long", question, [Table([Row(label, figures)])], []))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(figure in "\n".join(lines) for figure in figures.values())
    assert " ".join(line.strip() for line in lines[1:3]) == question


def test_a_stream_of_another_encoding_shows_stand_ins(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    show_stand_ins()
    assert main(["train", "table", "--help"]) == 0
    sys.stdout.flush()
    assert b"else they are 1, 2, ..." in raw.getvalue()


@pytest.mark.parametrize(
    ("encoding", "want"), [("utf-8", "−0.25 (?)"), ("ascii", "-0.25 (?)"), ("latin-1", "-0.25 (?)")]
)
def test_a_console_without_a_minus_shows_a_hyphen(monkeypatch, encoding, want):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    show_stand_ins()
    found = Answer("a", "What?", [Table([Row("x", {"r2": -0.25})])], ["It is -0.25 (\ud800)."]).to_json()
    _print_answer(Console(highlight=False, width=60), for_people(found))
    sys.stdout.flush()
    shown = raw.getvalue().decode(encoding)
    assert f"It is {want}." in shown
    assert re.search(rf"x +\S {want[:5]}00 ", shown)


@pytest.mark.parametrize(
    ("encoding", "want"),
    [
        ("utf-8", "90.1 ± 0.4 % – 2×3 ≥ 1…, naïve, Ω, 日, 🙂"),
        ("latin-1", "90.1 ± 0.4 % - 2×3 >= 1..., naïve, ?, ?, ?"),
        ("ascii", "90.1 +- 0.4 % - 2x3 >= 1..., naive, ?, ?, ?"),
    ],
)
def test_letters_that_an_encoding_lacks(monkeypatch, encoding, want):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    show_stand_ins()
    sys.stdout.write("90.1 ± 0.4 % – 2×3 ≥ 1…, naïve, Ω, 日, 🙂")
    sys.stdout.flush()
    assert raw.getvalue().decode(encoding) == want


@pytest.mark.parametrize("given", [{"LANG": "C", "LC_ALL": "C", "NO_COLOR": "1"}])
def test_other_surroundings(given):
    got = subprocess.run([sys.executable, "-m", "fastnn", "list"], env={**os.environ, **given}, capture_output=True)
    assert (got.returncode, got.stderr) == (0, b"")
    assert b"\x1b" not in got.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux that is always full")
@pytest.mark.parametrize("command", [["list"], ["data", "list"], ["train", "--help"]])
def test_output_into_a_full_disk_is_one_line(command):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fastnn", *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, "fastnn: cannot write what is printed: No space left on device\n")


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize("command", [["list"], ["data", "list"], ["train", "--help"], ["train", "nothing"]])
def test_a_stream_that_the_caller_has_closed(name, command, monkeypatch):
    """As `>&-` of a shell does, or a service without a terminal: Python has None in its place."""
    want = main(command)
    monkeypatch.setattr(sys, name, None)
    assert main(command) == want
