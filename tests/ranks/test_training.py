"""Several ranks train what one alone trains: here they are threads, so no MPI is needed."""

import numpy as np
import pytest

import fastnn as fn
from tests.ranks.by_threads import on_ranks

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}  # relative: sums over ranks are rounded otherwise


def numbers(dtype="float64", seed=0, **given):
    layers = [fn.Dense(7, "tanh"), fn.Dropout(0.3), fn.Dense(3)]
    return fn.Sequential(layers, input_shape=5, dtype=dtype, seed=seed, **given)


def words(dtype="float64", sparse=False, rows=20):
    layers = [fn.Embedding(rows, 4, sparse=sparse), fn.Flatten(), fn.Dense(6, "sigmoid"), fn.Dense(5)]
    return fn.Sequential(layers, input_shape=(3,), dtype=dtype)


def sampled(dtype="float64"):
    layers = [fn.Embedding(5000, 4), fn.Flatten(), fn.Dense(6), fn.SampledSoftmax(40, samples=8)]
    return fn.Sequential(layers, input_shape=(3,), dtype=dtype)


def at_each_step(dtype="float64"):
    layers = [fn.Embedding(20, 4, sparse=True), fn.GRU(5, return_sequences=True), fn.SampledSoftmax(40, samples=8)]
    return fn.Sequential(layers, input_shape=(6,), dtype=dtype)


def data_of(model, samples=53):
    rng, network = np.random.default_rng(4), model.network
    ids = network.id_count(next(iter(network.graph.inputs)))
    shape = (samples, *network.input_shape)
    x = rng.standard_normal(shape) if ids is None else rng.integers(0, min(ids, 60), shape)
    if steps := network.outputs[0].steps:  # some have no label
        y = rng.integers(0, network.output_width, (samples, steps))
        return x, np.where(rng.random(y.shape) < 0.4, -1, y)
    return x, rng.integers(0, model.network.output_width, samples)


def trained(make, group=None, optimizer=None, callbacks=(), **given):
    """A model that was trained, alone or in a group."""
    model = make()
    x, y = data_of(model)
    optimizer = optimizer() if optimizer else fn.SGD(0.5, momentum=0.9)
    settings = {"batch_size": 10, "epochs": 2, "verbose": False, "callbacks": list(callbacks)} | given
    model.fit(x, y, optimizer=optimizer, **settings)
    return model


def difference(model, other):
    """Relative to the largest parameter; infinite where histories are not alike."""
    mine, its = model.history["loss"], other.history["loss"]
    gap = np.abs(model.parameters.flat - other.parameters.flat).max() / np.abs(other.parameters.flat).max()
    return max(gap, np.abs(np.array(mine) / its - 1).max())


WEIGHTS = np.random.default_rng(1).random(53)
CASES = {
    "plain": (numbers, {}),
    "weights": (numbers, {"sample_weight": WEIGHTS}),
    "weights, all samples a step": (numbers, {"sample_weight": WEIGHTS, "batch_size": None, "steps_per_epoch": 4}),
    "all samples a step": (numbers, {"batch_size": None, "steps_per_epoch": 4}),
    "in order": (numbers, {"shuffle": False}),
    "batches smaller than the ranks": (numbers, {"batch_size": 3}),
    "penalties": (lambda: numbers(l1=0.01, l2=0.1), {}),
    "clipped": (numbers, {"optimizer": lambda: fn.SGD(0.5, clip_norm=0.1)}),
    "clipped values": (numbers, {"optimizer": lambda: fn.Adam(0.05, clip_value=0.01)}),
    "schedule": (numbers, {"optimizer": lambda: fn.SGD(fn.ExponentialDecay(0.5, 0.9))}),
    "sum": (lambda: numbers(loss=fn.SoftmaxCrossEntropy(reduction="sum")), {"optimizer": lambda: fn.SGD(0.01)}),
    "table": (words, {}),
    "table, plain SGD": (words, {"optimizer": lambda: fn.SGD(0.5)}),
    "sparse table": (lambda: words(sparse=True), {"optimizer": lambda: fn.Adam(0.05)}),
    "sparse table, clipped": (lambda: words(sparse=True), {"optimizer": lambda: fn.SGD(0.5, clip_norm=0.1)}),
    "sparse table, unlike numbers of samples": (lambda: words(sparse=True, rows=5000), {"batch_size": 5}),
    "sampled classes, unlike numbers of samples": (sampled, {"batch_size": 5}),
    "labels at each step, unlike numbers of samples": (at_each_step, {"batch_size": 5}),
    "sampled classes": (sampled, {"optimizer": lambda: fn.AdaGrad(0.1)}),
    "sampled classes, Adam": (sampled, {"optimizer": lambda: fn.Adam(0.05)}),
    "a label at each step": (at_each_step, {"optimizer": lambda: fn.Adam(0.05)}),
    "a label at each step, weights": (at_each_step, {"sample_weight": WEIGHTS}),
    "bfloat16 state": (lambda: numbers("float32"), {"optimizer": lambda: fn.Adam(0.01, state_dtype="bfloat16")}),
}


@pytest.mark.parametrize(("case", "size"), [("plain", 2), *((case, 3) for case in CASES)])
def test_is_the_training_of_one_rank(case, size):
    make, given = CASES[case]
    alone = trained(make, **given)
    models = on_ranks(size, lambda group: trained(make, group, **given))
    for model in models:
        assert difference(model, models[0]) == 0, "the ranks differ"
        assert model.history.epochs == models[0].history.epochs
        assert model.history.steps == models[0].history.steps
    tolerance = 0.02 if case == "bfloat16 state" else TOLERANCE[alone.dtype.name]  # its rounding draws amplify bits
    assert difference(models[0], alone) <= tolerance


@pytest.mark.parametrize("sync_every", [1, 3])
def test_bits_repeat(sync_every):
    first, second = (on_ranks(3, lambda group: trained(numbers, group), sync_every)[1] for _ in range(2))
    assert first.parameters.flat.tobytes() == second.parameters.flat.tobytes()
    assert list(first.history.steps["loss"]) == list(second.history.steps["loss"])


class Seen(fn.Callback):
    def __init__(self):
        self.epochs = []

    def on_epoch_end(self, run):
        self.epochs.append(run.epoch)


class SeenEverywhere(Seen):
    everywhere = True


def test_callbacks_are_called_on_rank_0_unless_they_say_everywhere():
    def train(group):
        seen = Seen(), SeenEverywhere()
        trained(numbers, group, callbacks=seen)
        return [one.epochs for one in seen]

    assert on_ranks(2, train) == [[[1, 2], [1, 2]], [[], [1, 2]]]


def test_rank_0_stops_all_and_puts_the_best_parameters_back():
    def train(group):
        stopping = fn.EarlyStopping("val_loss", 1, restore_best=True)
        held_out = data_of(numbers(), 20)
        return trained(numbers, group, epochs=30, validation_data=held_out, callbacks=[stopping])

    alone, models = train(None), on_ranks(2, train)
    assert len(alone.history) < 30
    for model in models:
        assert len(model.history) == len(alone.history)
        assert model.history.stop_reason == alone.history.stop_reason
        assert difference(model, alone) <= TOLERANCE["float64"]
        np.testing.assert_allclose(model.history["val_loss"], alone.history["val_loss"], rtol=1e-10)


class Stop(fn.Callback):
    every = 4

    def on_batch_end(self, run):
        if run.epoch == 1 and run.step == 4:
            run.stop("seen enough")


def test_a_stop_within_an_epoch():
    models = on_ranks(2, lambda group: trained(numbers, group, epochs=9, callbacks=[Stop()]))
    assert [len(model.history.steps["loss"]) for model in models] == [6 + 4] * 2


@pytest.mark.parametrize(("before", "after"), [(2, 2), (1, 3), (3, 1)])
def test_resumes_at_another_number_of_ranks(tmp_path, before, after):
    def train(group, path, *others):
        given = [fn.Checkpoint(path, resume=True, every=2), *others]
        return trained(numbers, group, epochs=3, callbacks=given)

    class Killed(fn.Callback):
        every = 2

        def on_batch_end(self, run):
            if run.epoch == 1 and run.step == 4:
                raise RuntimeError("as if killed")

    want = on_ranks(after, lambda group: train(group, tmp_path / "whole.h5"))
    with pytest.raises(RuntimeError):
        on_ranks(before, lambda group: train(group, tmp_path / "part.h5", Killed()))
    assert fn.load(tmp_path / "part.h5").epoch == 1
    models = on_ranks(after, lambda group: train(group, tmp_path / "part.h5"))
    for model in models:
        assert model.history.steps["loss"][:6] == pytest.approx(want[0].history.steps["loss"][:6], rel=1e-10)
        gap = difference(model, want[0])
        assert gap == 0 if before == after else gap <= TOLERANCE["float64"]


def test_divergence_is_told_alike_on_all_ranks():
    def train(group):
        with pytest.raises(fn.NonFiniteError, match=r"epoch \d+, step \d+") as told:
            trained(words, group, optimizer=lambda: fn.SGD(1e307))
        return str(told.value)

    with np.errstate(all="ignore"):
        first, second = on_ranks(2, train)
    assert first == second


def test_local_updates_meet_every_so_many_steps():
    alone = trained(numbers)
    models = on_ranks(2, lambda group: trained(numbers, group, batch_size=8), sync_every=3)
    assert models[0].parameters.flat.tobytes() == models[1].parameters.flat.tobytes()
    assert models[0].history.epochs == models[1].history.epochs
    assert 0 < difference(models[0], alone) < 2, "it is another training, near this one"


def test_local_updates_of_equal_halves_are_those_of_one():
    """Where both ranks have the same samples, their mean is what each has."""

    def train(group):
        model = fn.Sequential([fn.Dense(3)], input_shape=5, dtype="float64")
        x, y = data_of(model, 4)
        doubled = (np.concatenate([x, x]), np.concatenate([y, y])) if group else (x, y)
        size = {"batch_size": None, "steps_per_epoch": 4, "epochs": 2}
        model.fit(*doubled, optimizer=fn.SGD(0.5, momentum=0.9), verbose=False, **size)
        return model

    assert difference(on_ranks(2, train, sync_every=2)[1], train(None)) <= 1e-14


def fitted(**given):
    return lambda group: trained(numbers, group, **given)


@pytest.mark.parametrize(
    ("train", "message", "sync_every"),
    [
        (lambda group: numbers().fit([data_of(numbers())], verbose=False), "not batches that a user makes", 1),
        (fitted(steps_per_block=4), "steps_per_block is 4", 1),
        (fitted(callbacks=[Stop()]), "multiple of sync_every, 3", 3),
        (lambda group: trained(numbers, group, epochs=1 + group.rank), "trains with another epochs", 1),
        (lambda group: numbers().train_on_batch(*data_of(numbers())), "train_on_batch", 1),
    ],
)
def test_refuses(train, message, sync_every):
    with pytest.raises((ValueError, fn.FastnnError), match=message):
        on_ranks(2, train, sync_every)


def test_streams_are_shared(tmp_path):
    import h5py

    x, y = data_of(numbers())
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = x, y

    def train(group):
        model = numbers()
        source = fn.H5Stream(tmp_path / "data.h5", "x")
        model.fit(source, y, optimizer=fn.SGD(0.5), batch_size=10, epochs=2, verbose=False)
        return model

    assert difference(on_ranks(2, train)[1], train(None)) <= TOLERANCE["float64"]
