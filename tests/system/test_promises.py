"""The page of promises names only tests, commands and options that exist, and every command that proves one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
QUOTED = re.findall("`([^`]+)`", PAGE)
COMMANDS = [words.split() for words in QUOTED if words.startswith("python ")]
FILES = [path for path in (ROOT / "tests" / "proofs").glob("*.py") if not path.stem.startswith("test_")]
PROOFS = {path.stem for path in FILES if "__main__" in path.read_text("utf-8")}


def test_it_names_tests_that_exist():
    paths = [words for words in QUOTED if words.startswith("tests/")]
    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_it_names_every_command_that_proves_something():
    named = {command[2].removeprefix("tests.proofs.") for command in COMMANDS}
    assert named == PROOFS


def test_its_commands_take_those_options():
    for command in COMMANDS:
        source = (ROOT / f"{command[2].replace('.', '/')}.py").read_text("utf-8")
        options = [word for word in command[3:] if word.startswith("--")]
        assert [option for option in options if f'"{option}"' not in source] == [], command


def test_each_row_has_a_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) > 15
    for row in rows:
        _, _, tests, _, _, _ = row.split("|")
        assert "`tests/" in tests, row


def test_the_readme_leads_to_it():
    assert "(docs/promises.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
