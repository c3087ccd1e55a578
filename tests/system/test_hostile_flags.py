"""Flags and folders that mislead: one line that says what is wrong, the right exit status, and nothing left behind."""

import json
import math
import os

import numpy as np
import pytest

from fastnn.cli import main
from fastnn.common.errors import FileFormatError
from fastnn.experiment.sweep import owner_of
from fastnn.loading import load
from fastnn.search.table import read_table
from fastnn.training.models import storage
from tests.small_data import write_all
from tests.tiny import jit_only, links, tiny_model

SMALL = ["--compare", "none", "--epochs", "1", "--threads", "1"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return {system: str(path) for system, path in write_all(tmp_path_factory.mktemp("data")).items()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def train(files, here):
    """`train(flags...)` -> exit status, of the smallest language model."""

    def run(*flags, system="trigram"):
        sizes = ["--sizes", "2x3", "--batch-size", "16"] if system == "trigram" else []
        return main(["train", system, "--data", files[system], *SMALL, *sizes, *flags])

    return run


def one_line(capsys):
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fastnn: ")
    assert err.count("\n") == 1, err
    return err


BAD_FLAGS = {
    "infinite rate": (["--lr", "inf"], "--lr is inf, expected a finite number"),
    "NaN": (["--l2", "nan"], "--l2 is nan, expected a finite number"),
    "beyond all floats": (["--l1", "1e400"], "--l1 is inf, expected a finite number"),
    "infinite gap": (["--max-gap", "inf"], "--max-gap is inf"),
    "huge batch": (["--batch-size", "9" * 30], "expected whole numbers up to 100,000,000"),
    "huge layer": (["--sizes", f"2x{'9' * 30}"], "--sizes is 2x9"),
    "more memory than there is": (["--sizes", "99999999x99999999"], "not enough memory"),
    "both": (["--resume", "--fresh"], "--resume goes on with a run and --fresh starts again"),
    "unfinished": (
        ["--out", "a.unfinished"],
        "the name of an unfinished run's folder; expected the run's own name, 'a'",
    ),
    "here": (["--out", "."], "--out is '.', expected a folder's name"),
    "root": (["--out", "/"], "--out is '/', expected a folder's name"),
    "above": (["--out", ".."], "--out is '..', expected a folder's name"),
    "momentum": (["--momentum", "1"], "--momentum is 1.0, expected below 1"),
    "dropout": (["--dropout", "1.5"], "--dropout is 1.5, expected below 1"),
    "no text": (["--out", "a\udcff"], "is no UTF-8 text"),
}


@pytest.mark.parametrize(("flags", "said"), BAD_FLAGS.values(), ids=BAD_FLAGS)
def test_bad_flags(train, here, capsys, flags, said):
    assert train(*flags) == 2
    assert said in one_line(capsys)
    assert os.listdir(here) == []


def test_wrong_threads_of_a_sweep_leave_nothing(files, here, capsys):
    command = ["sweep", "cats-vs-cars", "--data", files["cats-vs-cars"], "--grid", "lr=.1", "--threads", "4096"]
    assert main(command) == 2
    assert "4096" in one_line(capsys)
    assert os.listdir(here) == []


def test_an_error_in_training_leaves_no_folder(train, here, capsys, monkeypatch):
    """Only of folders that were not there: what an earlier run left stays."""

    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device", "history.csv")

    monkeypatch.setattr("fastnn.experiment.runner.train_one", full)
    assert train("--out", "a/b/run") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert os.listdir(here) == []
    (here / "a").mkdir()
    assert train("--out", "a/b/run") == 2
    assert os.listdir(here) == ["a"]


def test_errors_of_its_own_are_one_line(here, capsys, monkeypatch):
    def broken():
        raise KeyError("nothing")

    monkeypatch.setattr("fastnn.cli.doctor.report", broken)
    assert main(["doctor"]) == 1
    assert "KeyError: 'nothing'; this is an error of fastnn's own" in one_line(capsys)
    monkeypatch.setenv("FASTNN_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["doctor"])


def test_a_folder_with_a_summary_of_somebody_else(train, here, capsys):
    (here / "mine").mkdir()
    (here / "mine/thesis.tex").write_text("precious", "utf-8")
    for summary in ('{"chapters": 5}', "[]", "no JSON"):
        (here / "mine/summary.json").write_text(summary, "utf-8")
        assert train("--out", "mine") == 2
        assert "is a folder that no run made" in one_line(capsys)
    assert (here / "mine/thesis.tex").read_text("utf-8") == "precious"


@links
def test_a_loop_of_links(train, here, capsys):
    (here / "loop").symlink_to("loop")
    assert train("--out", "loop") == 2
    assert "--out is 'loop'" in one_line(capsys)


@links
@jit_only
def test_a_link_stays_a_link(train, here):
    """Also one to a folder that is yet to be made."""
    (here / "link").symlink_to("there")
    for _ in range(2):
        assert train("--out", "link") == 0
        assert sorted(os.listdir(here)) == ["link", "there"]
        assert (here / "link").is_symlink()
        assert (here / "there/model.h5").exists()


@pytest.fixture
def interrupted(train, here, monkeypatch, capsys):
    """The folder of a run that Ctrl-C ended after its first epoch."""
    from fastnn.experiment.train_one import ThrottledCheckpoint

    with monkeypatch.context() as patch:
        saved = ThrottledCheckpoint.on_epoch_end

        def save_and_stop(self, run):
            saved(self, run)
            raise KeyboardInterrupt

        patch.setattr(ThrottledCheckpoint, "on_epoch_end", save_and_stop)
        assert train() == 130
    capsys.readouterr()
    return here / "runs/trigram.unfinished"


CHECKPOINT = "parts/000.checkpoint.h5"


def without_settings(summary):
    return json.dumps(json.loads(summary) | {"config": {}}).encode()


DAMAGE = {
    "empty checkpoint": (CHECKPOINT, lambda whole: b"", "checkpoint.h5: cannot be read"),
    "half a checkpoint": (CHECKPOINT, lambda whole: whole[: len(whole) // 2], "checkpoint.h5: cannot be read"),
    "one of an earlier fastnn": ("checkpoint.h5", lambda whole: b"", "checkpoint.h5: cannot be read"),
    "training that ended": ("parts/000.h5", lambda whole: b"no HDF5", "000.h5: cannot be read"),
    "no settings": ("summary.json", without_settings, "holds no settings of a run"),
}


@jit_only
@pytest.mark.parametrize(("name", "change", "said"), DAMAGE.values(), ids=DAMAGE)
def test_damage_to_what_is_resumed(interrupted, train, capsys, name, change, said):
    path = interrupted / name
    path.write_bytes(change(path.read_bytes() if path.exists() else b""))
    before = sorted(interrupted.rglob("*"))
    assert train("--resume") == 2
    line = one_line(capsys)
    assert said in line
    assert "--fresh starts again" in line
    assert sorted(interrupted.rglob("*")) == before


def words(vocabulary, tokenizer="spaces", **more):
    return {"kind": "words", "vocabulary": vocabulary, "tokenizer": tokenizer} | more


FORGED = {
    "no network": lambda config: config.pop("network"),
    "no layers": lambda config: config["network"].update(layers=[]),
    "layers are text": lambda config: config["network"].update(layers="abc"),
    "no such dtype": lambda config: config.update(dtype="float16"),
    "shape": lambda config: config["network"].update(input_shape=[0]),
    "no meta": lambda config: config.update(meta=None),
    "no counter": lambda config: config.update(epoch=math.nan),
    "text for a counter": lambda config: config.update(seed="7"),
    "less than nothing": lambda config: config.update(epoch=-1),
    "preprocessing is text": lambda config: config.update(preprocessing="pixels"),
    "no kind": lambda config: config.update(preprocessing={"shape": [3, 1]}),
    "another kind": lambda config: config.update(preprocessing={"kind": "sound"}),
    "pixels of words": lambda config: config.update(preprocessing={"kind": "pixels", "shape": [3, 1], "divide": 1.0}),
    "too many words": lambda config: config.update(preprocessing=words(["a"] * 12)),
    "words are numbers": lambda config: config.update(preprocessing=words([1, 2])),
    "no words": lambda config: config.update(preprocessing=words([])),
    "no such tokenizer": lambda config: config.update(preprocessing=words(["a"], tokenizer="bytes")),
    "unknown field": lambda config: config.update(preprocessing=words(["a"], more=1)),
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_whole_file_that_describes_no_model(tmp_path, capsys, change):
    path = tmp_path / "model.h5"
    saved = tiny_model().saved()
    change(saved.config)
    storage.save(path, saved)
    with pytest.raises(FileFormatError, match=r"model\.h5: no model can be built from what it holds"):
        load(path)
    assert main(["predict", str(path), "a b c"]) == 2
    one_line(capsys)


TABLES = {
    "other columns alone": ("a,b\n", "is no sweep of moons"),
    "no number": (
        "id,data,status,val_loss\nmoons,here,finished,abc\n",
        "line 2 holds val_loss 'abc', expected a number",
    ),
}


@pytest.mark.parametrize(("text", "said"), TABLES.values(), ids=TABLES)
def test_tables_that_no_sweep_wrote(tmp_path, text, said):
    from fastnn.recipes import RECIPES

    owner = owner_of(RECIPES["moons"], "here")
    (tmp_path / "sweep.csv").write_text(text, "utf-8")
    with pytest.raises(FileFormatError, match=said):
        read_table(tmp_path / "sweep.csv", owner)
    (tmp_path / "sweep.csv").write_text("", "utf-8")
    assert read_table(tmp_path / "sweep.csv", owner) == []


@jit_only
def test_a_rate_beyond_float32_is_no_warning(train, capsys):
    """Tests turn warnings into errors: what overflows must end as divergence does."""
    assert train("--lr", "1e308") == 3
    assert "smaller learning rate" in capsys.readouterr().err


def test_data_that_end_in_an_error_are_the_only_line(here, capsys):
    np.savez("a.npz", images=np.zeros((9, 4, 5), np.uint8), labels=np.arange(9))
    assert main(["train", "mnist-mlp", "--data", "a.npz", *SMALL]) == 2
    assert "'a.npz' has pictures of shape (4, 5)" in one_line(capsys)
    assert os.listdir(here) == ["a.npz"]


def test_folders_of_others_are_kept(train, here, capsys):
    """One with an empty summary.json, and one that is called almost as a run that is set aside."""
    for name in ("mine", "run.replaced"):
        (here / name).mkdir()
        (here / name / "thesis.tex").write_text("precious", "utf-8")
    (here / "mine" / "summary.json").touch()
    assert train("--out", "mine") == 2
    assert "no run made" in one_line(capsys)
    assert train("--out", "run") == train("--out", "run") == 0
    assert all((here / name / "thesis.tex").exists() for name in ("mine", "run.replaced"))
    assert sorted(os.listdir(here)) == ["mine", "run", "run.replaced"]
