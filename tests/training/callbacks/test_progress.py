"""What a person sees of a training in a terminal and in a script: on stderr or by `logging`, a line an epoch."""

import io
import logging
import re
import sys

import pytest

import fastnn as fn
from fastnn.training.callbacks import lines as lines_of_epochs
from fastnn.training.callbacks import progress
from fastnn.training.callbacks.lines import LOG
from tests.tiny import fit, tiny_model, trigrams


@pytest.fixture(autouse=True)
def logger(monkeypatch):
    """As in a script that does not use `logging`: pytest has handlers of its own."""
    monkeypatch.setattr(lines_of_epochs, "LOG", logging.Logger("fastnn", logging.WARNING))
    return lines_of_epochs.LOG


def test_lines_go_to_stderr_only(capsys):
    fit(tiny_model(), validation_data=trigrams(9))  # compiles: that would be a line of its own
    fit(tiny_model(), epochs=2, verbose=True, validation_data=trigrams(9))
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split("  ")[0] for line in err.splitlines()] == ["epoch 1/2", "epoch 2/2"]
    assert all("val_loss" in line and "samples/s" in line for line in err.splitlines())


def test_silence(capsys):
    fit(tiny_model(), verbose=False)
    fit(tiny_model(), verbose="auto")  # stderr is no terminal here
    assert capsys.readouterr() == ("", "")


class Compiles(fn.Callback):
    """Stands for a first run, which compiles kernels."""

    every = 1

    def on_batch_begin(self, run):
        log = logging.getLogger("fastnn_kernels")
        log.info("compiling %d kernels, once for this version and processor", 18)
        log.info("compiling kernels, %d of %d done: %s", 0, 18, "matmul")


def test_that_kernels_are_being_compiled_is_said_once(capsys):
    fit(tiny_model(), epochs=2, verbose=True, callbacks=[Compiles()])
    first, *epochs = capsys.readouterr().err.splitlines()
    assert first == "compiling 18 kernels, once for this version and processor ..."
    assert [line.split("  ")[0] for line in epochs] == ["epoch 1/2", "epoch 2/2"]
    fit(tiny_model(), verbose=False, callbacks=[Compiles()])
    assert capsys.readouterr() == ("", "")


def test_that_kernels_are_being_compiled_is_said_without_a_bar(capsys):
    fit(tiny_model(), epochs=2, verbose="auto", callbacks=[Compiles()])
    assert capsys.readouterr() == ("", "compiling 18 kernels, once for this version and processor ...\n")


def test_many_figures_take_several_lines_of_a_terminal():
    names = [f"price_{name}" for name in ("loss", "mae", "rmse", "mse")]
    logs = {"epoch": 3, "loss": 968.9089, "samples_per_second": 12345.6}
    logs |= dict.fromkeys(names, 9633.87) | {"val_loss": 5.5} | {f"val_{name}": 123.4 for name in names}
    lines = lines_of_epochs.epoch_line(logs, 20, names).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert [line.split()[0] for line in lines] == ["epoch", "price_rmse", "val_loss", "val_price_rmse"]
    assert all(line.startswith(" " * 13) for line in lines[1:])
    few = lines_of_epochs.epoch_line(logs, 20, [])
    assert few == "epoch  3/20  loss 968.9089  val_loss 5.5000  12,346 samples/s"
    assert lines_of_epochs.epoch_line(logs, 20, [], tokens=64).endswith("val_loss 5.5000  790,118 tokens/s")


def test_a_training_that_takes_much_memory_says_so(capfd, monkeypatch):
    for module in (progress, lines_of_epochs):
        monkeypatch.setattr(module, "LARGE_BYTES", 1)
    for shown in ({"verbose": True}, {"callbacks": [fn.ProgressBar()]}):
        fit(tiny_model(), **shown)
        assert re.search(r"takes 0\.\d MB: step 0\.0 MB, copies 0\.0 MB", capfd.readouterr().err)


class TestLogging:
    """`fit(verbose=True)`, or the level of the logger "fastnn", asks for a record an epoch."""

    @pytest.fixture
    def records(self, logger):
        found = []
        handler = logging.Handler()
        handler.emit = found.append
        logger.addHandler(handler)
        return found

    def test_asked_by_verbose(self, records, capsys):
        fit(tiny_model(), epochs=2, verbose=True)
        assert [(record.name, record.levelname) for record in records] == [("fastnn", "INFO")] * 2
        assert records[0].getMessage().startswith("epoch 1/2  loss ")
        assert capsys.readouterr() == ("", "")

    def test_asked_by_the_level(self, records, logger):
        logger.setLevel(logging.INFO)
        fit(tiny_model(), epochs=2, verbose="auto")
        fit(tiny_model(), epochs=2, verbose=False)
        assert len(records) == 2

    def test_not_asked(self, records):
        fit(tiny_model(), epochs=2, verbose="auto")
        assert not records

    def test_is_that_of_the_name_fastnn(self):
        assert logging.getLogger("fastnn") is LOG

    def test_many_figures_are_one_line(self, records):
        fit(tiny_model(metrics=["top_2", "top_3", "top_4", "top_5"]), verbose=True, validation_data=trigrams(9))
        assert "\n" not in records[0].getMessage()


class Minimal:
    """A writer that can write, and nothing else."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    "shown", [{"verbose": True}, {"verbose": "auto"}, {"callbacks": [fn.ProgressBar()]}], ids=["True", "auto", "bar"]
)
@pytest.mark.parametrize("stderr", [lambda: None, Minimal, closed], ids=["None", "minimal", "closed"])
def test_any_stderr_does(stderr, shown, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stderr())
    assert len(fit(tiny_model(), epochs=2, **({"callbacks": [Compiles()]} | shown)).history) == 2
    if isinstance(sys.stderr, Minimal) and shown != {"verbose": "auto"}:
        assert sys.stderr.text.count("epoch") == 2


def test_a_bar_is_closed_by_an_error_of_another_callback(monkeypatch):
    class Bad(fn.Callback):
        def on_train_end(self, run):
            raise ValueError("of a user")

    bar = fn.ProgressBar()
    with pytest.raises(ValueError, match="of a user"):
        fit(tiny_model(), callbacks=[Bad(), bar])
    assert not bar.bar.live.is_started
    assert bar.listener not in logging.getLogger("fastnn_kernels").handlers


@pytest.mark.parametrize(("width", "columns"), [(40, 3), (69, 3), (70, 6)])
def test_a_bar_is_one_line(width, columns):
    """In a narrow terminal without the speed and the time left, which would be broken into lines."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True)
    bar = progress._bar(console, 0)
    assert len(bar.columns) == columns
    bar.add_task("epoch 100/100", total=10, completed=5, note="loss 0.1234")
    console.print(bar.get_renderable())
    assert out.getvalue().count("\n") == 1
