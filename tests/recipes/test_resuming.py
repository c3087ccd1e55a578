"""A command with several trainings that was interrupted, and goes on with --resume."""

from pathlib import Path

from fastnn.experiment import runner
from tests.recipes.run_files import history, summary_of
from tests.tiny import jit_only


@jit_only
def test_interrupted_comparison_goes_on_where_it_was(train, monkeypatch, capsys):
    """Trainings that had ended are read, not repeated, and the figures are those of an uninterrupted command."""
    flags = ("cats-vs-cars", "--hidden", "5", "--epochs", "3", "--compare", "hidden")
    real, done = runner.train_one, []

    def breaking(recipe, label, *arguments, **keywords):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(label)
        return real(recipe, label, *arguments, **keywords)

    monkeypatch.setattr(runner, "train_one", breaking)
    assert train(*flags) == 130
    assert train(*flags) == 2
    assert "--resume" in capsys.readouterr().err
    monkeypatch.setattr(runner, "train_one", lambda r, label, *a, **k: (done.append(label), real(r, label, *a, **k))[1])
    assert train(*flags, "--resume") == 0
    assert len(done) == len(set(done)) == 4
    assert not (Path("runs") / "cats-vs-cars" / "parts").exists()
    assert train(*flags, "--out", "whole") == 0
    resumed, whole = (summary_of(folder) for folder in ("runs/cats-vs-cars", "whole"))
    assert [row["metrics"] for row in resumed["runs"]] == [row["metrics"] for row in whole["runs"]]
    columns = ("run", "epoch", "loss", "test_loss")
    got, want = ([tuple(row[name] for name in columns) for row in history(f)] for f in ("runs/cats-vs-cars", "whole"))
    assert got == want


@jit_only
def test_an_ended_part_of_other_epochs_is_not_taken(train, monkeypatch):
    flags = ("cats-vs-cars", "--hidden", "5", "--compare", "hidden")
    real = runner.train_one

    def breaking(recipe, label, *arguments, **keywords):
        if label != "chosen":
            raise KeyboardInterrupt
        return real(recipe, label, *arguments, **keywords)

    monkeypatch.setattr(runner, "train_one", breaking)
    assert train(*flags, "--epochs", "2") == 130
    monkeypatch.setattr(runner, "train_one", real)
    assert train(*flags, "--epochs", "4", "--resume") == 0
    assert {row["epochs_run"] for row in summary_of("runs/cats-vs-cars")["runs"]} == {4}
