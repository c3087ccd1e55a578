"""A folder with models of each kind and data of each system, where commands run."""

import shutil

import pytest
from PIL import Image

from tests.cli.predicted import GREY, MODELS
from tests.small_data import write_all


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """The models, and data of each system."""
    folder = tmp_path_factory.mktemp("models")
    for name, make in MODELS.items():
        make().save(folder / name)
    (folder / "data").mkdir()
    write_all(folder / "data")
    return folder


@pytest.fixture
def folder(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    for i, one in enumerate(GREY):
        Image.fromarray(one).save(f"{i}.png")
    return tmp_path
