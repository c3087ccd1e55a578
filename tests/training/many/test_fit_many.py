"""`fit_many`: many models at once end with the bits of `fit`, one after the other."""

import copy
import os
import signal
import threading

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.fit import joined
from fastnn.training.passes.runner import Runner
from tests.tiny import THREADS, StopAt, bits, jit_only, python, two_threads

TIMES = ("seconds", "samples_per_second")
COUNTS = sorted({1, min(2, THREADS)})


def points(count=20, seed=0):
    x = np.random.default_rng(seed).normal(size=(count, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def nets(count=3, layers=None, **keywords):
    made = lambda: layers() if layers else [fn.Dense(3, "tanh"), fn.Dense(2)]  # noqa: E731
    return [fn.Sequential(made(), input_shape=2, seed=seed, **keywords) for seed in range(count)]


def without_times(history):
    return [{name: value for name, value in epoch.items() if name not in TIMES} for epoch in history.epochs]


def left(model):
    """All that a training leaves in a model, but for times."""
    arrays = bits(model.parameters), bits(model.buffers)
    return *arrays, model.epoch, without_times(model.history), model.history.steps, model.history.stop_reason


def check_same(models, wanted):
    for model, want in zip(models, wanted, strict=True):
        assert left(model) == left(want)
        assert [list(epoch) for epoch in model.history.epochs] == [list(epoch) for epoch in want.history.epochs]


def fit_each(models, x, y, **options):
    """One model after the other, one epoch after the other: the callback wants to see each."""
    callbacks = [*options.pop("callbacks", ()), fn.Callback()]
    with fn.threads(1):
        for model in models:
            model.fit(x, y, verbose=False, callbacks=callbacks, **options)


DECAY = fn.ExponentialDecay(0.05, 0.7)
CASES = {
    "an epoch a step": ({"batch_size": None, "epochs": 7}, {}),
    "steps an epoch": ({"batch_size": None, "epochs": 3, "steps_per_epoch": 4}, {"l2": 0.01}),
    "a decay by epoch": ({"batch_size": None, "epochs": 5, "steps_per_epoch": 3, "optimizer": fn.Adam(DECAY)}, {}),
    "batches": ({"batch_size": 8, "epochs": 2, "optimizer": fn.SGD(0.1, momentum=0.9)}, {}),
    "validation": ({"batch_size": None, "epochs": 2, "validation_data": points(seed=1)}, {}),
    "statistics": ({"batch_size": 8, "epochs": 2}, {"layers": lambda: [fn.Columns(numbers=[1, 0]), fn.Dense(2)]}),
    "weights": ({"batch_size": None, "epochs": 3, "sample_weight": np.linspace(0, 1, 20)}, {}),
}


@pytest.mark.parametrize("threads", COUNTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_same_bits_as_fit(case, dtype, threads):
    options, keywords = CASES[case]
    models, wanted = (nets(dtype=dtype, **keywords) for _ in range(2))
    with fn.threads(threads):
        trained = fn.fit_many(models, *points(), **options)
    fit_each(wanted, *points(), **options)
    check_same(models, wanted)
    assert [(one.model, one.history, one.error) for one in trained] == [(m, m.history, None) for m in models]


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [fn.Dense(3, "relu"), fn.Dropout(0.5), fn.Dense(2)],
        lambda: [fn.Dense(3), fn.BatchNorm(), fn.Activation("tanh"), fn.Dense(2)],
    ],
    ids=["dropout", "batch norm"],
)
def test_layers_with_random_numbers_and_statistics(layers):
    options = {"batch_size": None, "epochs": 4}
    models, wanted = nets(layers=layers), nets(layers=layers)
    fn.fit_many(models, *points(), **options)
    fit_each(wanted, *points(), **options)
    check_same(models, wanted)


def test_epochs_are_joined_only_where_nothing_looks_between_them(monkeypatch):
    starts, start = [], Runner.start

    def counted(runner, *given, **named):
        starts.append(1)
        start(runner, *given, **named)

    monkeypatch.setattr(Runner, "start", counted)
    counts = {}
    for name, layers in {"plain": None, "dropout": lambda: [fn.Dropout(0.5), fn.Dense(2)]}.items():
        starts.clear()
        fn.fit_many(nets(1, layers), *points(), batch_size=None, epochs=9)
        counts[name] = len(starts)
    starts.clear()
    fn.fit_many(nets(1), *points(), batch_size=None, epochs=9, callbacks=[[fn.Callback()]])
    assert counts["plain"] == 1
    assert counts["dropout"] == len(starts) == 10


def test_a_pass_that_does_not_hold_all_epochs(monkeypatch):
    monkeypatch.setattr(joined, "STEPS", 6)
    options = {"batch_size": None, "epochs": 5, "steps_per_epoch": 3, "optimizer": fn.SGD(DECAY)}
    models, wanted = nets(1), nets(1)
    fn.fit_many(models, *points(), **options)
    fit_each(wanted, *points(), **options)
    check_same(models, wanted)


def test_data_of_its_own_for_each_model():
    data = [points(16 + 4 * seed, seed) for seed in range(3)]
    held = [points(9, 7 + seed) for seed in range(3)]
    models, wanted = nets(), nets()
    fn.fit_many(models, data, batch_size=5, epochs=2, validation_data=held)
    for want, (x, y), one in zip(wanted, data, held, strict=True):
        fit_each([want], x, y, batch_size=5, epochs=2, validation_data=one)
    check_same(models, wanted)


def test_optimizers_of_its_own_for_each_model_and_a_second_call_goes_on():
    rates = 0.01, 0.1, 0.3
    models, wanted = nets(), nets()
    ours, theirs = ([fn.SGD(rate, momentum=0.5) for rate in rates] for _ in range(2))
    for _ in range(2):
        fn.fit_many(models, *points(), optimizer=ours, batch_size=None, epochs=2)
        for want, optimizer in zip(wanted, theirs, strict=True):
            fit_each([want], *points(), optimizer=optimizer, batch_size=None, epochs=2)
    check_same(models, wanted)
    counts = [[(one.iteration, one.epoch) for one in each] for each in (ours, theirs)]
    assert counts == [[(4, 4)] * 3] * 2


def test_an_optimizer_for_all_models_is_left_as_it_was():
    optimizer = fn.Adam(0.1)
    model = nets(1)[0]
    model.fit(*points(), optimizer=optimizer, verbose=False)
    before = optimizer.iteration, bits(optimizer.state["dense.w"])
    models, wanted = nets(), nets()
    fn.fit_many(models, *points(), optimizer=optimizer, batch_size=None, epochs=2)
    assert (optimizer.iteration, bits(optimizer.state["dense.w"])) == before
    for want in wanted:
        fit_each([want], *points(), optimizer=fn.Adam(0.1), batch_size=None, epochs=2)
    check_same(models, wanted)


def test_callbacks_of_each_model():
    def stopping():
        return [fn.EarlyStopping("loss", patience=1, min_delta=delta, restore_best=True) for delta in (0.0, 5.0, 0.0)]

    options = {"batch_size": None, "epochs": 4, "optimizer": fn.SGD(0.2)}
    models, wanted, watching = nets(), nets(), stopping()
    trained = fn.fit_many(models, *points(), callbacks=[[one] for one in watching], **options)
    for want, one in zip(wanted, stopping(), strict=True):
        fit_each([want], *points(), callbacks=[one], **options)
    check_same(models, wanted)
    assert [len(one.history) for one in trained] == [4, 2, 4]
    assert "did not improve" in models[1].history.stop_reason


def test_preprocessing_of_each_model():
    x = np.random.default_rng(0).integers(0, 256, (12, 2, 2), np.uint8)
    y = np.arange(12) % 2
    models, wanted = (
        [
            fn.Sequential([fn.Dense(2)], input_shape=4, seed=seed, preprocessing=fn.Pixels((2, 2), flat=True))
            for seed in range(2)
        ]
        for _ in range(2)
    )
    fn.fit_many(models, x, y, batch_size=None, epochs=2)
    fit_each(wanted, x, y, batch_size=None, epochs=2)
    check_same(models, wanted)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_model_that_diverges_does_not_stop_the_others(steps):
    def rates():
        return [fn.SGD(0.1), fn.SGD(fn.StepDecay(1e30, 0.9, 1)), fn.SGD(0.1)]

    layers = lambda: [fn.Dense(3), fn.Dense(1)]  # noqa: E731
    models, wanted = (nets(layers=layers, loss="mse") for _ in range(2))
    x, options = points()[0], {"batch_size": None, "steps_per_epoch": steps, "epochs": 9}
    with pytest.warns(UserWarning, match=r"1 of 3 trainings failed, .*models\[1\]: NonFiniteError: the loss became"):
        trained = fn.fit_many(models, x, x[:, :1], optimizer=rates(), **options)
    for want, optimizer, one in zip(wanted, rates(), trained, strict=True):
        if one.error is None:
            fit_each([want], x, x[:, :1], optimizer=optimizer, **options)
        else:
            with pytest.raises(fn.NonFiniteError) as refused:
                fit_each([want], x, x[:, :1], optimizer=optimizer, **options)
            assert str(one.error) == str(refused.value)
    check_same(models, wanted)
    assert [one.error is None for one in trained] == [True, False, True]
    assert np.isfinite(models[1].parameters.flat).all()


def test_an_error_of_a_callback_is_that_of_its_model():
    models, wanted = nets(2), nets(2)
    watching = [[StopAt(1, error=ZeroDivisionError("mine"))], []]
    with pytest.warns(UserWarning, match=r"models\[0\]: ZeroDivisionError: mine"):
        trained = fn.fit_many(models, *points(), epochs=2, callbacks=watching)
    fit_each(wanted[1:], *points(), epochs=2)
    check_same(models[1:], wanted[1:])
    assert isinstance(trained[0].error, ZeroDivisionError)


def test_what_ends_a_process_ends_all():
    with pytest.raises(SystemExit):
        fn.fit_many(nets(), *points(), epochs=2, callbacks=[[], [StopAt(1, error=SystemExit(3))], []])


@two_threads
@jit_only
def test_two_models_are_trained_at_a_time():
    meeting = threading.Barrier(2, timeout=100)

    class Meet(fn.Callback):
        def on_epoch_begin(self, run):
            meeting.wait()

    with fn.threads(2):
        trained = fn.fit_many(nets(2), *points(), callbacks=[[Meet()], [Meet()]])
    assert [one.error for one in trained] == [None, None]


def test_ctrl_c_ends_all_between_whole_steps(tmp_path):
    class Interrupt(fn.Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                signal.raise_signal(signal.SIGINT)

    def watching(number):
        return [fn.Checkpoint(tmp_path / f"{number}.h5"), *([Interrupt()] if number == 0 else [])]

    models, before = nets(3), set(threading.enumerate())
    optimizers = [fn.SGD(0.1) for _ in models]
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        options = {"epochs": 1_000_000, "callbacks": [watching(i) for i in range(3)], "batch_size": None}
        with pytest.raises(KeyboardInterrupt):
            fn.fit_many(models, *points(), optimizer=optimizers, **options)
    finally:
        signal.signal(signal.SIGINT, handler)
    for thread in set(threading.enumerate()) - before:  # all have ended, or do within microseconds
        thread.join(10)
        assert not thread.is_alive()
    for model, optimizer in zip(models, optimizers, strict=True):
        assert len(model.history.steps["loss"]) == optimizer.iteration
        assert len(model.history.epochs) == model.epoch == optimizer.epoch
        model.fit(*points(), verbose=False)  # nobody holds it
    assert models[0].epoch >= 3
    assert bits(fn.load(tmp_path / "0.h5").parameters)


INTERRUPTED = """
import os, signal, threading, time
import numpy as np
import fastnn as fn
signal.signal(signal.SIGINT, signal.default_int_handler)
x = np.random.default_rng(0).normal(size=(20, 2))
y = (x[:, 0] > 0).astype(int)
models = [fn.Sequential([fn.Dense(3), fn.Dense(2)], input_shape=2, seed=seed) for seed in range(3)]
optimizers = [fn.SGD(0.1) for _ in models]

def interrupt():
    while models[0].epoch < 1:
        time.sleep(0.001)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

threading.Thread(target=interrupt).start()
try:
    fn.fit_many(models, x, y, optimizer=optimizers, batch_size=None, epochs=10**9)
except KeyboardInterrupt:
    for model, optimizer in zip(models, optimizers):
        steps = len(model.history.steps["loss"])
        print(steps == optimizer.iteration == optimizer.epoch == model.epoch == len(model.history))
    print(models[0].epoch > 0)
"""


@jit_only
@pytest.mark.skipif(os.name == "nt", reason="no thread interrupts the main one there while it waits")
def test_ctrl_c_within_joined_epochs():
    assert python(INTERRUPTED).split() == ["True"] * 4


def test_a_model_in_use():
    models, said = nets(2), []

    class Again(fn.Callback):
        def on_epoch_begin(self, run):
            with pytest.raises(fn.FastnnError) as refused:
                fn.fit_many(models, *points())
            said.append(str(refused.value))

    models[1].fit(*points(), callbacks=[Again()], verbose=False)
    assert said[0].startswith("models[1]: this model is being trained by the fit that calls this code")
    assert models[0].epoch == 0
    fn.fit_many(models, *points())  # the refusal has let go of both


SHARED, STOPPING, RATE = points(), fn.EarlyStopping("loss"), fn.SGD(0.1)
REFUSED = {
    "one model": (lambda m: fn.fit_many(m[0], *SHARED), TypeError, "for one there is model.fit"),
    "no model": (lambda m: fn.fit_many([], *SHARED), ValueError, "models is empty"),
    "no models": (lambda m: fn.fit_many([3], *SHARED), TypeError, r"models\[0\] is int"),
    "twice": (lambda m: fn.fit_many([*m, m[0]], *SHARED), ValueError, r"models\[3\] is models\[0\].*copy.deepcopy"),
    "shapes": (
        lambda m: fn.fit_many([*m, *nets(1, lambda: [fn.Dense(4), fn.Dense(2)])], *SHARED),
        ValueError,
        r"models\[3\] has parameters .*\(2, 4\).*but models\[0\].*\(2, 3\).*one shape",
    ),
    "dtypes": (lambda m: fn.fit_many([*m, *nets(1, dtype="float64")], *SHARED), ValueError, "dtype float64, but"),
    "no y": (lambda m: fn.fit_many(m, SHARED[0]), TypeError, "got no y; expected"),
    "few pairs": (lambda m: fn.fit_many(m, [SHARED] * 2), ValueError, "x has 2 entries for 3 models"),
    "weights": (lambda m: fn.fit_many(m, [SHARED] * 3, sample_weight=[1]), ValueError, "expected it in them"),
    "held out": (
        lambda m: fn.fit_many(m, *SHARED, validation_data=[SHARED] * 4),
        ValueError,
        "validation_data has 4 entries for 3 models",
    ),
    "held out what": (lambda m: fn.fit_many(m, *SHARED, validation_data=3), fn.DataError, "validation_data is int"),
    "few optimizers": (lambda m: fn.fit_many(m, *SHARED, optimizer=[RATE]), ValueError, "optimizer has 1 entries"),
    "one optimizer": (
        lambda m: fn.fit_many(m, *SHARED, optimizer=[RATE] * 3),
        ValueError,
        r"optimizer\[1\] is optimizer\[0\], expected each once; one belongs to one model",
    ),
    "what optimizer": (lambda m: fn.fit_many(m, *SHARED, optimizer=3), TypeError, "optimizer is 3"),
    "one list": (lambda m: fn.fit_many(m, *SHARED, callbacks=[STOPPING]), TypeError, "one list for all models"),
    "one callback": (lambda m: fn.fit_many(m, *SHARED, callbacks=[[STOPPING]] * 3), ValueError, "the same callback"),
    "few lists": (lambda m: fn.fit_many(m, *SHARED, callbacks=[[]]), ValueError, "callbacks has 1 entries"),
    "a bar": (lambda m: fn.fit_many(m, *SHARED, callbacks=[[fn.ProgressBar()], [], []]), ValueError, "ProgressBar"),
    "one file": (
        lambda m: fn.fit_many(m, *SHARED, callbacks=[[fn.Checkpoint("a")], [fn.Checkpoint("a")], []]),
        ValueError,
        "two of them write a, expected a path for each model",
    ),
    "steps": (lambda m: fn.fit_many(m, *SHARED, steps_per_epoch=2, batch_size=4), ValueError, "steps_per_epoch is 2"),
    "epochs": (lambda m: fn.fit_many(m, *SHARED, epochs=0), ValueError, "epochs is 0"),
    "data": (lambda m: fn.fit_many(m, SHARED[0], SHARED[1] + 5), fn.DataError, "expected 0 to 1"),
    "an argument": (lambda m: fn.fit_many(m, *SHARED, epoch=3), TypeError, "no argument 'epoch'.*epochs"),
}


@pytest.mark.parametrize(("call", "error", "said"), REFUSED.values(), ids=REFUSED)
def test_refused_in_one_line_before_anything_is_trained(call, error, said):
    models = nets()
    before = copy.deepcopy([left(model) for model in models])
    with pytest.raises(error, match=said) as refused:
        call(models)
    assert "\n" not in str(refused.value)
    assert [left(model) for model in models] == before
