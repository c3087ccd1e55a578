"""The command line as a user meets it: files, output, exit statuses, errors in one line."""

import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from fastnn.cli import main
from fastnn.cli.doctor import Speed, advice
from tests.tiny import jit_only

WORDS = [f"word{i:03d}" for i in range(20)]
SMALL = ["--sizes", "2x3", "--epochs", "3", "--batch-size", "16", "--lr", "0.3"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def corpus(here):
    """A small file of the trigram layout, ids from 1; returns a function that rewrites it with changes."""

    def write(name="corpus.h5", leave_out=(), **changes):
        rng = np.random.default_rng(0)
        arrays = {"words": np.array(WORDS, "S12")}
        for part, count in (("train", 90), ("val", 30), ("test", 30)):
            x = rng.integers(1, 21, (count, 3)).astype(np.int32)
            arrays |= {f"{part}x": x, f"{part}d": x[:, 2] % 20 + 1}
        with h5py.File(name, "w") as file:
            for key, value in (arrays | changes).items():
                if key not in leave_out:
                    file[key] = value
        return name

    write()
    return write


def train(*arguments):
    return main(["train", "trigram", "--data", "corpus.h5", *SMALL, *arguments])


def one_line(capsys):
    """The text on stderr, which must be a single line of the program's."""
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(("trigram:", "compiling"))]
    assert len(lines) == 1, lines
    assert lines[0].startswith("fastnn: ")
    assert "Traceback" not in lines[0]
    return lines[0]


def test_train_leaves_a_run(corpus, here, capsys):
    assert train() == 0
    out, err = capsys.readouterr()
    assert sorted(os.listdir(here / "runs")) == ["trigram"]
    files = [
        "curves.png",
        "embedding.png",
        "first-epochs.png",
        "history.csv",
        "model.h5",
        "report.html",
        "summary.json",
    ]
    assert sorted(os.listdir(here / "runs/trigram")) == files
    assert "33.39 %" in out
    assert "Which words follow five test trigrams?" in out
    assert err.count("epoch ") == 3
    assert (here / "runs/trigram/curves.png").read_bytes().startswith(b"\x89PNG")


def test_samples_that_are_left_out_are_announced(corpus, here, capsys):
    assert train("--samples", "40", "--compare", "none") == 0
    assert " 40 of 90 training, " in capsys.readouterr().err
    assert train("--samples", "0", "--compare", "none", "--fresh") == 0
    assert " 90 training, " in capsys.readouterr().err


def test_summary(corpus, here):
    assert train("--seed", "4") == 0
    summary = json.loads((here / "runs/trigram/summary.json").read_text("utf-8"))
    want = {
        "schema": 1,
        "id": "trigram",
        "status": "finished",
        "data": "corpus.h5",
        "dtype": "float32",
        "epochs_run": 3,
    }
    assert {key: summary[key] for key in want} == want
    assert summary["config"]["seed"] == 4
    parts = [f"{part}_{name}" for part in ("train", "val", "test") for name in ("loss", "accuracy")]
    assert sorted(summary["metrics"]) == sorted(parts)
    assert summary["true_entropy"] is None
    assert summary["peak_rss_mb"] > 10 or os.name == "nt", "Windows is not asked"
    assert 1 <= summary["best_epoch"] <= 3
    keys = {"seconds_per_epoch", "samples_per_second", "threads", "versions", "report", "answers", "runs"}
    assert keys <= set(summary)


def test_history_has_a_line_an_epoch(corpus, here):
    assert train() == 0
    lines = (here / "runs/trigram/history.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("epoch,loss,accuracy")
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3"]


def test_same_seed_same_model(corpus, here):
    assert train("--out", "a") == train("--out", "b") == 0
    with h5py.File("a/model.h5") as a, h5py.File("b/model.h5") as b:
        for name in a["parameters"]:
            np.testing.assert_array_equal(a["parameters"][name][()], b["parameters"][name][()])


def test_predict(corpus, here, capsys):
    assert train("--out", "run") == 0
    capsys.readouterr()
    for target in ("run", "run/model.h5"):
        assert main(["predict", target, "word001 WORD002 word003"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 10
        percents = [float(line.split()[1]) for line in lines]
        assert percents == sorted(percents, reverse=True)


def test_list_and_help(capsys):
    assert main(["list"]) == 0
    assert "trigram" in capsys.readouterr().out
    for command in ([], ["train"], ["train", "trigram", "--help"], ["--help"], ["data"], ["--version"]):
        assert main(command) == 0
        assert capsys.readouterr().out


@jit_only
def test_doctor(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for fact in ("versions", "threads", "cache", "GFLOP/s"):
        assert fact in out


@pytest.mark.parametrize(
    ("together", "said"),
    [
        (Speed(190, 150), ""),
        (
            Speed(180, 0.02),
            "half of the calls on 2 threads take 9e+03 x as long as the fastest: is another process busy?",
        ),
        (Speed(0.02, 0.01), "2 threads are slower than one: is another process busy?"),
        (Speed(110, 105), "2 threads are only 1.1 x as fast as one: is another process busy?"),
    ],
)
def test_advice_about_threads(together, said):
    assert advice(2, 100, together).partition(" Wait")[0] == said


def test_data(here, capsys):
    assert main(["data", "list"]) == 0
    assert "trigram" in capsys.readouterr().out
    assert main(["data", "make", "trigram", "--out", "made.h5"]) == 0
    with h5py.File("made.h5") as file:
        assert file["trainx"].shape == (372_500, 3)
        assert file["trainx"][()].min() == 1
    capsys.readouterr()
    assert main(["data", "make", "trigrams"]) == 2
    assert "did you mean trigram" in one_line(capsys)


BAD_FILES = {
    "missing key": ({"leave_out": ("valx",)}, "valx"),
    "id 0": ({"trainx": np.zeros((90, 3), np.int32)}, "0"),
    "id beyond the words": ({"testx": np.full((30, 3), 21, np.int32)}, "21"),
    "label out of range": ({"vald": np.full(30, 99, np.int32)}, "99"),
    "NaN": ({"trainx": np.full((90, 3), np.nan)}, "nan"),
    "not whole": ({"traind": np.full(90, 1.5)}, "1.5"),
    "empty": ({"trainx": np.zeros((0, 3), np.int32), "traind": np.zeros(0, np.int32)}, "trainx"),
    "lengths": ({"traind": np.ones(89, np.int32)}, "89"),
    "columns": ({"trainx": np.ones((90, 4), np.int32)}, "4"),
}


@pytest.mark.parametrize(("change", "said"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_file(corpus, here, capsys, change, said):
    corpus(**change)
    assert train() == 2
    line = one_line(capsys)
    assert "corpus.h5" in line
    assert said in line
    assert not (here / "runs").exists()


def test_truncated_and_foreign_files(corpus, here, capsys):
    whole = (here / "corpus.h5").read_bytes()
    for content in (whole[: len(whole) // 2], b"no HDF5", b""):
        (here / "corpus.h5").write_bytes(content)
        assert train() == 2
        assert "corpus.h5" in one_line(capsys)
    assert main(["train", "trigram", "--data", "nowhere.h5"]) == 2
    assert "nowhere.h5" in one_line(capsys)
    assert not (here / "runs").exists()


BAD_OPTIONS = {
    "system": (["train", "trigrams"], "trigram"),
    "command": (["trian"], "train"),
    "option": (["train", "trigram", "--learning-rate", "1"], "--learning-rate"),
    "negative rate": (["train", "trigram", "--lr", "-1"], "-1"),
    "momentum": (["train", "trigram", "--momentum", "1.5"], "1.5"),
    "sizes": (["train", "trigram", "--sizes", "32"], "32x256"),
    "epochs": (["train", "trigram", "--epochs", "0"], "epochs"),
    "no number": (["train", "trigram", "--epochs", "many"], "many"),
    "threads": (["train", "trigram", "--threads", "4096"], "4096"),
    "initializer": (["train", "trigram", "--initializer", "xavjer"], "xavier"),
    "model": (["predict", "nowhere", "a b c"], "nowhere"),
    "no words": (["predict", "nowhere"], "WORDS"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD_OPTIONS.values(), ids=BAD_OPTIONS.keys())
def test_bad_option(here, capsys, arguments, said):
    assert main(arguments) == 2
    assert said in one_line(capsys)
    assert os.listdir(here) == []


def test_unknown_word(corpus, here, capsys):
    assert train("--out", "run") == 0
    capsys.readouterr()
    assert main(["predict", "run", "word001 word00x word003"]) == 2
    line = one_line(capsys)
    assert "'word00x'" in line
    assert "did you mean" in line
    assert main(["predict", "run", "word001 word002"]) == 2
    assert "expected 3" in one_line(capsys)


def test_folders_that_are_no_runs(corpus, here, capsys):
    (here / "mine").mkdir()
    (here / "mine/thesis.tex").write_text("precious", "utf-8")
    (here / "file").write_text("precious", "utf-8")
    for out in ("mine", "file", "file/below"):
        assert train("--out", out) == 2
        assert "choose another --out" in one_line(capsys)
    assert (here / "mine/thesis.tex").read_text("utf-8") == (here / "file").read_text("utf-8") == "precious"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_out(corpus, here, capsys):
    (here / "locked").mkdir(mode=0o500)
    assert train("--out", "locked/run") == 2
    assert "locked" in one_line(capsys)


def test_a_finished_run_outlives_a_failing_one(corpus, here, capsys):
    assert train() == 0
    before = (here / "runs/trigram/model.h5").read_bytes()
    assert train("--lr", "1e38") == 3
    capsys.readouterr()
    assert (here / "runs/trigram/model.h5").read_bytes() == before
    assert json.loads((here / "runs/trigram.unfinished/summary.json").read_text("utf-8"))["status"] == "diverged"
    assert train("--fresh", "--seed", "1") == 0
    assert (here / "runs/trigram/model.h5").read_bytes() != before
    assert sorted(os.listdir(here / "runs")) == ["trigram"]


def test_diverged(corpus, capsys):
    assert train("--lr", "1e38") == 3
    last = capsys.readouterr().err.splitlines()[-1]
    assert ", step " in last
    assert "1e+38" in last


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with Ctrl-C ignored
from fastnn.cli import main
from fastnn.cli.doctor import Speed, advice
from fastnn.experiment.train_one import ThrottledCheckpoint
saved = ThrottledCheckpoint.on_epoch_end
def save_and_kill(self, run):
    saved(self, run)
    if run.epoch == 2:
        signal.raise_signal(getattr(signal, sys.argv[1]))
ThrottledCheckpoint.on_epoch_end = save_and_kill
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_interrupt_and_resume(corpus, here, capsys, name, status):
    command = ["train", "trigram", "--data", "corpus.h5", *SMALL, "--epochs", "5"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, name, *command], env=environment, capture_output=True)
    assert done.returncode == status, done.stderr
    assert b"Traceback" not in done.stderr
    assert json.loads((here / "runs/trigram.unfinished/summary.json").read_text("utf-8"))["status"] == "interrupted"
    assert main(command) == 2
    assert "--resume" in one_line(capsys)
    assert main([*command, "--resume", "--lr", "0.1"]) == 2
    assert "lr=0.3" in one_line(capsys)
    assert main([*command, "--resume"]) == 0
    assert main([*command, "--out", "whole"]) == 0
    with h5py.File("runs/trigram/model.h5") as resumed, h5py.File("whole/model.h5") as whole:
        for array in whole["parameters"]:
            np.testing.assert_array_equal(resumed["parameters"][array][()], whole["parameters"][array][()])
    assert len((here / "runs/trigram/history.csv").read_text("utf-8").splitlines()) == 6


def test_resume_without_a_run_starts_one_and_makes_it_once(corpus, here, capsys):
    """So one command line in a loop ends, however often it is killed."""
    assert train("--resume") == 0
    before = (here / "runs/trigram/summary.json").stat().st_mtime_ns
    first = capsys.readouterr().out
    assert train("--resume") == 0
    again = capsys.readouterr().out
    assert "had it; --fresh trains it again" in again
    assert again.split("0 %")[0] == first.split("0 %")[0], "the same table of figures"
    assert (here / "runs/trigram/summary.json").stat().st_mtime_ns == before
    assert train("--resume", "--seed", "1") == 0
    assert "wrote runs/trigram/" in capsys.readouterr().out


def test_closed_pipe(corpus):
    code = "import sys; from fastnn.cli import main; sys.exit(main(['train', 'trigram', '--help']))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1  # click's status when the reader has closed the pipe
    assert b"Traceback" not in err
