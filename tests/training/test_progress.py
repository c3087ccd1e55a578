"""What a person sees of a training: on stderr, a line an epoch."""

import logging

import fastnn as fn
from fastnn.training.callbacks import progress
from tests.tiny import fit, tiny_model, trigrams


def test_progress_bar_writes_lines_to_stderr_only(capsys):
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
    lines = progress.epoch_line(logs, 20, names).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert [line.split()[0] for line in lines] == ["epoch", "price_rmse", "val_loss", "val_price_rmse"]
    assert all(line.startswith(" " * 13) for line in lines[1:])
    few = progress.epoch_line(logs, 20, [])
    assert few == "epoch  3/20  loss 968.9089  val_loss 5.5000  12,346 samples/s"


def test_a_training_that_takes_much_memory_says_so(capfd, monkeypatch):
    monkeypatch.setattr(progress, "LARGE_BYTES", 1)
    fit(tiny_model(), verbose=True)
    assert "takes 0.0 MB: step 0.0 MB, copies 0.0 MB" in capfd.readouterr().err
