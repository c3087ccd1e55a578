"""Every block of Python in the documentation runs, every command line is one, every list of names is whole."""

import contextlib
import inspect
import json
import re
import runpy

import click
import pytest

import fastnn as fn
from fastnn import cli, data, interop, ops, plots
from fastnn.cli.commands import fastnn as commands
from fastnn.recipes import RECIPES
from tests.pages import DOCS, PAGES, README, ROOT, blocks, command_lines, missing_packages
from tests.tiny import jit_only

ELSEWHERE = {"exchange.md": "tests/interop/test_packages.py"}  # where the blocks of these pages run
RUN = [name for name in PAGES if blocks(PAGES[name]) and name not in ELSEWHERE]
CODE = {
    name: "".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)) for name, text in PAGES.items()
}
SOURCES = [path for room in ("fastnn", "kernels/fastnn_kernels") for path in (ROOT / room).rglob("*.py")]


@jit_only
@pytest.mark.parametrize("name", RUN)
def test_blocks_run_one_after_the_other(name, monkeypatch, tmp_path):
    """Up to the first that imports a package which is not installed."""
    monkeypatch.chdir(tmp_path)
    if name == "tables.md":
        _train_its_table()
    found = blocks(PAGES[name])
    lacking = [missing_packages(block) for block in found]
    ready = next((i for i, packages in enumerate(lacking) if packages), len(found))
    (tmp_path / "page.py").write_text("".join(found[:ready]), encoding="utf-8")
    runpy.run_path("page.py")
    if ready < len(found):
        pytest.skip(f"{ready} of {len(found)} blocks ran; not installed: {', '.join(lacking[ready])}")


def _train_its_table():
    first, second = [words for words in command_lines(PAGES["tables.md"]) if words[0] in ("data", "train")][:2]
    assert cli.main(first) == 0
    assert cli.main([*second, "--epochs", "1", "--compare", "none", "--quiet"]) == 0


@pytest.mark.parametrize("name", [*PAGES, "README.md"])
def test_command_lines_are_those_that_the_commands_take(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for words in command_lines({**PAGES, "README.md": README}[name]):
        _make_files_of(words, tmp_path)
        command, context = commands, None
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            context = click.Context(command, parent=context, info_name=command.name)
            _, command, words = command.resolve_command(context, words)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(click.Context, "exit", _is_help)
            with contextlib.suppress(click.exceptions.NoArgsIsHelpError):  # a group's name alone
                command.make_context(command.name, list(words), parent=context)


def _make_files_of(words, folder):
    """What command lines name: a file for a word with an ending, a folder for runs/NAME."""
    for word in words:
        if re.fullmatch(r"[\w./-]+", word) and not word.startswith("-"):
            if word.startswith("runs/") and "." not in word:
                (folder / word).mkdir(parents=True, exist_ok=True)
            elif re.fullmatch(r"[\w/-]+\.\w+", word):
                (folder / word).parent.mkdir(parents=True, exist_ok=True)
                (folder / word).touch()


def _is_help(context, code=0):
    assert code == 0


def test_lines_of_code_fit_on_a_page():
    """Else they are cut in a browser that is 1200 pixels wide, until one scrolls."""
    long = {name: [line for line in text.splitlines() if len(line) > 110] for name, text in CODE.items()}
    for path in (DOCS / "notebooks").glob("*.ipynb"):
        cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
        long[path.name] = [line for cell in cells for line in "".join(cell["source"]).splitlines() if len(line) > 100]
    assert {name: lines for name, lines in long.items() if lines} == {}


def test_the_table_of_systems_has_all():
    assert re.findall(r"^\| `([\w-]+)` \|", PAGES["systems.md"], re.MULTILINE) == list(RECIPES)


def test_environment_variables_are_all_told():
    """Those of fastnn's own, and those of others that it reads."""
    text = "".join(path.read_text("utf-8") for path in SOURCES)
    own = {*re.findall(r"\b_?FASTNN_[A-Z_]+\b", text)}
    read = {*re.findall(r"""environ(?:\.get\(|\[)"(\w+)\"""", text)}
    told = {*re.findall(r"^\| `(\w+)` \|", PAGES["shell.md"], re.MULTILINE)}
    assert own | read <= told
    assert {name for name in told if "FASTNN_" in name} == own


def test_exit_codes_are_those_of_the_command():
    told = {int(status) for status in re.findall(r"^\| (\d+) \|", PAGES["shell.md"], re.MULTILINE)}
    assert told == {int(status) for status in re.findall(r"\b\d+\b", cli.__doc__)}
    assert told == {0, 1, 2, 3, 130, 141, 143}


def test_the_api_has_every_public_name():
    text = "\n".join(page for name, page in PAGES.items() if name.startswith("api/"))
    told = {*re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE)} | {*re.findall(r"`((?:\w+\.)?\w+)`", text)}
    public = [name for name in fn.__all__ if not inspect.ismodule(getattr(fn, name))]
    missing = [name for name in public if f"fastnn.{name}" not in told]
    missing += [f"ops.{name}" for name in ops.__all__ if f"fastnn.ops.{name}" not in told and name not in told]
    missing += [f"interop.{name}" for name in interop.__all__ if f"fastnn.interop.{name}" not in told]
    missing += [f"plots.{name}" for name in plots.__all__ if not {f"fastnn.plots.{name}", f"plots.{name}"} & told]
    missing += [f"data.{name}" for name in data.__all__ if not {f"fastnn.data.{name}", f"fastnn.{name}"} & told]
    assert missing == []
