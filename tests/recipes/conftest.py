"""Fixtures of the systems' tests: small files of data, and the command on them."""

import pytest

from fastnn.cli import main
from tests.small_data import write_all


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("data"))


@pytest.fixture
def train(files, tmp_path, monkeypatch):
    """`train(id, flags...)` -> exit status, in an empty current folder."""
    monkeypatch.chdir(tmp_path)

    def run(system, *flags):
        return main(["train", system, "--data", str(files[system]), "--threads", "1", *flags])

    return run
