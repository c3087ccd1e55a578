"""Runs on the small table, which tests of predictions share."""

import pytest

from fastnn.cli import main
from tests.cli.table.things import SMALL, columns
from tests.small_data import write_table


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder with the table and a run of each task; how it was made is not looked at again."""
    folder = tmp_path_factory.mktemp("tables")
    write_table(folder / "things.csv", columns())
    where = ["train", "table", str(folder / "things.csv"), *SMALL]
    lr = ["--lr", "0.02", "--quiet"]
    assert main([*where, "--target", "kind", "--drop", "size", "--out", str(folder / "kind"), *lr]) == 0
    assert main([*where, "--target", "size", "--drop", "kind", "--out", str(folder / "size"), *lr]) == 0
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """An empty current folder, beside it the trained runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
