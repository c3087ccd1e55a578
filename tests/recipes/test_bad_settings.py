"""Settings and data that do not fit end in a line that says so, and leave nothing behind."""

import os

import pytest

from fastnn.cli import main

BAD = {
    "compare": (["cats-vs-cars", "--compare", "hiden"], "did you mean hidden"),
    "hidden": (["cats-vs-cars", "--hidden", "19;5"], "--hidden is '19;5'"),
    "hidden 0": (["cifar10-mlp", "--hidden", "0x3"], "--hidden is '0x3'"),
    "filters": (["mnist-cnn", "--filters", "32"], "--filters is '32'"),
    "best": (["moons", "--best"], "moons has no --best settings"),
    "second size": (["trigram", "--sizes", "2x3,4"], "--sizes is '4'"),
    "dropout": (["notmnist-cnn", "--dropout", "1"], "--dropout is 1.0, expected below 1"),
    "norm": (["cifar10-mlp", "--norm", "bath"], "batch"),
}


@pytest.mark.parametrize(("flags", "said"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(train, tmp_path, capsys, flags, said):
    assert train(*flags) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(f"{flags[0]}:")]
    assert len(lines) == 1
    assert said in lines[0]
    assert os.listdir(tmp_path) == []


def test_data_of_another_system(train, files, tmp_path, capsys):
    assert main(["train", "mnist-mlp", "--data", str(files["trigram"])]) == 2
    assert "trigram.h5" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
