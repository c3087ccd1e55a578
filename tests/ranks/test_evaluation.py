"""Ranks evaluate the validation data together: the figures and their bits are those of one process."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.passes import kinds
from tests.ranks.by_threads import on_ranks
from tests.ranks.test_training import Seen

HELD_OUT = 37


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Of 5 samples: 8 batches, the last one shorter."""
    monkeypatch.setattr(kinds, "EVALUATION_BATCH", 5)


def largest_error(y_true, y_pred):
    return float(np.abs(y_true - y_pred).max())


def numbers(dtype="float32", **given):
    given = {"loss": "mse", "metrics": ["mae", "rmse", "r2", largest_error]} | given
    layers = [fn.Dense(7, "tanh"), fn.BatchNorm(), fn.Dropout(0.3), fn.Dense(2)]
    return fn.Sequential(layers, input_shape=5, dtype=dtype, l2=0.01, **given)


def classes(dtype="float32"):
    return numbers(dtype, loss="softmax_cross_entropy", metrics=["accuracy", "perplexity"])


def data_of(make, samples, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, 5))
    return x, rng.integers(0, 2, samples) if make is classes else rng.standard_normal((samples, 2))


def trained(make, validation, **given):
    model = make()
    x, y = data_of(make, 48, seed=1)
    given = {"batch_size": 16, "epochs": 3, "verbose": False, "validation_data": validation} | given
    model.fit(x, y, optimizer=fn.SGD(0.1), **given)
    return model


def weighted(make):
    weights = np.random.default_rng(2).random(HELD_OUT)
    weights[5:10] = 0
    return *data_of(make, HELD_OUT), weights


def evaluated_alone(model, data):
    """The figures that one process finds."""
    x, y, *weights = data
    return model.evaluate(x, y, sample_weight=weights[0] if weights else None)


@pytest.mark.parametrize("size", [2, 3, 8])
@pytest.mark.parametrize("make", [numbers, classes])
def test_figures_have_the_bits_of_one_process(make, size):
    """Also on as many ranks as there are batches, and with batches whose weights are all 0."""

    def train(group):
        model = trained(make, weighted(make))
        group_s = {name[4:]: value for name, value in model.history.epochs[-1].items() if name.startswith("val_")}
        return group_s, evaluated_alone(model, weighted(make)), model.history.epochs

    found = on_ranks(size, train)
    for mine, alone, epochs in found:
        assert mine == alone
        assert epochs == found[0][2]
        assert len(mine) == (5 if make is numbers else 3)


def test_each_rank_takes_a_part_of_a_stream(tmp_path):
    import h5py

    x, y = data_of(classes, HELD_OUT)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = x, y

    def train(group):
        rows = []

        def seen(block):
            rows.append(len(block))
            return block

        with fn.H5Stream(tmp_path / "data.h5", "x", seen) as stream:
            rows.clear()
            model = trained(classes, (stream, y), epochs=1)
        return model.history["val_loss"], sum(rows), model.evaluate(x, y)["loss"]

    found = on_ranks(3, train)
    assert [loss for loss, _, alone in found if loss != [alone]] == []
    # 15, 15 and 7 rows; and one each, by which the memory is predicted
    assert [count - 15 for _, count, _ in found[:2]] == [found[2][1] - 7] * 2
    assert sum(count for _, count, _ in found) < 2 * HELD_OUT


def test_batches_of_a_user_are_evaluated_by_rank_0():
    x, y = data_of(classes, HELD_OUT)

    def train(group):
        model = trained(classes, [(x[:20], y[:20]), (x[20:], y[20:])])
        return model.history["val_loss"], model.evaluate(x, y)["loss"]

    first, second = on_ranks(2, train)
    assert first == second
    assert first[0][-1] == pytest.approx(first[1], rel=1e-6)


def test_early_stopping_and_schedules_act_on_the_common_figure():
    def train(group):
        seen = Seen()
        callbacks = [fn.EarlyStopping("val_r2", 2), fn.ReduceOnPlateau("val_loss", patience=1), seen]
        model = trained(numbers, weighted(numbers), epochs=40, callbacks=callbacks)
        return model.history["val_r2"], model.history["lr"], model.history.stop_reason

    first, second, third = on_ranks(3, train)
    assert first == second == third
    assert len(first[0]) < 40
    assert len(set(first[1])) > 1


def test_more_ranks_than_batches_of_the_validation_data():
    def train(group):
        data = data_of(numbers, 9)
        return trained(numbers, data).history["val_r2"][-1:], [trained(numbers, data).evaluate(*data)["r2"]]

    for mine, alone in on_ranks(5, train):
        assert mine == alone


def test_refuses_parts_that_are_too_small_for_batch_normalisation():
    with pytest.raises(
        fn.DataError, match=r"batch_norm needs batches of at least 2 samples, one has 1: its part of 16 on 9"
    ):
        on_ranks(9, lambda group: trained(numbers, None))


def test_refuses_validation_data_of_one_rank_alone():
    with pytest.raises(ValueError, match="rank 1 trains with another number of validation samples than rank 0"):
        on_ranks(2, lambda group: trained(classes, data_of(classes, 9) if group.rank == 0 else None))
