"""What is said of runs is computed from them."""

import numpy as np
import pytest

from fastnn.experiment import sayings
from fastnn.experiment.results import RunResult


def run(label="a", failed="", **metrics):
    return RunResult(label, None, metrics=metrics, failed=failed)


def curve(*values, name="val_accuracy"):
    return RunResult("a", None, epochs=[{name: value} for value in values])


class TestRanking:
    def test_best_and_worst_by_the_validation_set(self):
        runs = {"a": run(val_accuracy=0.5, test_accuracy=0.9), "b": run(val_accuracy=0.75, test_accuracy=0.1)}
        assert sayings.ranking(runs) == ["Best validation accuracy: 75.00 % (b). Worst: 50.00 % (a)."]

    def test_a_lower_loss_is_better(self):
        runs = {"a": run(train_loss=0.5), "b": run(train_loss=0.25), "c": run(train_loss=1.5)}
        assert sayings.ranking(runs) == ["Best training loss: 0.2500 (b). Worst: 1.5000 (c)."]

    def test_what_looks_the_same_is_named_together(self):
        runs = {"a": run(val_accuracy=0.50001), "b": run(val_accuracy=0.50002), "c": run(val_accuracy=0.25)}
        assert sayings.ranking(runs) == ["Best validation accuracy: 50.00 % (b; a). Worst: 25.00 % (c)."]
        del runs["c"]
        assert sayings.ranking(runs) == ["All have the same validation accuracy: 50.00 %."]

    def test_one_run_or_none_is_not_ranked(self):
        assert sayings.ranking({"a": run(val_accuracy=0.5)}) == sayings.ranking({}) == []


class TestKept:
    """A table of the best epoch beside sentences of the last one: a reader is told which is which."""

    @staticmethod
    def runs(**best):
        return {label: RunResult(label, None, epochs=[{}] * 10, best_epoch=epoch) for label, epoch in best.items()}

    def test_a_single_run(self):
        said = "The tables have each run at its best epoch by validation accuracy: epoch 9 of 10 (a)."
        assert sayings.kept(self.runs(a=9), "val_accuracy") == [said]

    def test_some_of_several(self):
        (said,) = sayings.kept(self.runs(a=9, b=10, c=1), "val_loss")
        assert said.endswith("by validation loss: epoch 9 of 10 (a); 1 of 10 (c); for the others it is the last.")

    def test_many_are_counted(self):
        (said,) = sayings.kept(self.runs(a=9, b=8, c=1, d=2, e=10), "val_loss")
        assert said.endswith("best epoch by validation loss, for 4 of 5 runs not the last one.")

    def test_nothing_is_said_of_last_epochs(self):
        assert sayings.kept(self.runs(a=10, b=10), "val_loss") == sayings.kept(self.runs(a=3), "") == []


class TestSpeed:
    def test_the_first_epoch_that_reaches_a_level(self):
        assert sayings.epochs_to(curve(0.1, 0.5, 0.4, 0.9), "val_accuracy", 0.45) == 2
        assert sayings.epochs_to(curve(0.1, 0.2), "val_accuracy", 0.45) is None
        assert sayings.epochs_to(curve(3.0, 2.0, name="val_loss"), "val_loss", 2.5) == 2

    def test_deviation_is_that_of_the_sample_and_of_the_last_epochs(self):
        values = [9.0, 1.0, 2.0, 4.0]
        assert sayings.steadiness(curve(*values), "val_accuracy", last=3) == pytest.approx(np.std([1, 2, 4], ddof=1))


def test_mean_and_deviation_of_runs_that_differ_by_chance():
    runs = {
        "0": run(test_accuracy=0.5, test_loss=1.0),
        "1": run(test_accuracy=0.7, test_loss=3.5),
        "2": run(failed="nan"),
    }
    (row,) = sayings.spread_row(runs)
    assert row.here == {"test_accuracy": "60.00 % ± 14.14 %", "test_loss": "2.2500 ± 1.7678"}
    assert sayings.spread_row({"0": run(test_accuracy=0.5)}) == []
