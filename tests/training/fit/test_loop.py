"""Training as a process: reproducible bits, history, callbacks, and ways to end."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.callbacks import Run
from tests.tiny import StopAt, bits, fit, jit_only, tiny_model, trigrams, two_threads


class Recorder(fn.Callback):
    """Notes every event with the epoch and step at which it came."""

    def __init__(self, every=0):
        self.every, self.events = every, []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda run: self.events.append((name[3:], run.epoch, run.step))
        return super().__getattribute__(name)

    def steps(self, event):
        return [(epoch, step) for name, epoch, step in self.events if name == event]


class TestBits:
    def test_the_same_from_run_to_run(self):
        one, other = (fit(tiny_model(), epochs=2) for _ in range(2))
        assert bits(one.parameters) == bits(other.parameters)
        assert one.history.steps["loss"] == other.history.steps["loss"]

    @two_threads
    @pytest.mark.parametrize(
        ("words", "width", "hidden", "batch"), [(11, 3, 5, 16), pytest.param(200, 16, 128, 150, marks=jit_only)]
    )
    def test_the_same_at_any_number_of_threads(self, words, width, hidden, batch):
        trained = []
        for count in (1, 2, 2):
            model = tiny_model(words=words, width=width, hidden=hidden, std=0.1)
            with fn.threads(count):
                x, y = trigrams(40 if words == 11 else 1000, words)
                model.fit(
                    x, y, optimizer=fn.SGD(0.15, momentum=0.85), batch_size=batch, validation_data=(x, y), verbose=False
                )
            trained.append((bits(model.parameters), model.history.epochs[0]["val_loss"]))
        assert trained[0] == trained[1] == trained[2]

    def test_validation_and_callbacks_change_nothing(self):
        plain = fit(tiny_model(), epochs=2)
        watched = fit(tiny_model(), epochs=2, validation_data=trigrams(9, seed=1), callbacks=[Recorder(every=1)])
        assert bits(plain.parameters) == bits(watched.parameters)

    def test_another_seed_is_another_start_and_another_order(self):
        assert bits(fit(tiny_model(seed=1)).parameters) != bits(fit(tiny_model()).parameters)
        moved = tiny_model(seed=1)
        moved.set_parameters(tiny_model().parameters)
        assert bits(fit(moved).parameters) != bits(fit(tiny_model()).parameters)


class TestOrder:
    def test_every_epoch_has_its_own(self):
        # With learning rate 0 the loss of a step tells which samples it saw.
        losses = fit(tiny_model(), epochs=3, batch_size=1, optimizer=fn.SGD(0.0), count=30).history.steps["loss"]
        epochs = [tuple(losses[start : start + 30]) for start in (0, 30, 60)]
        assert len(set(epochs)) == 3
        assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(epochs[2])

    def test_unshuffled_samples_come_as_they_are(self):
        model = tiny_model()
        x, y = trigrams(10)
        model.fit(x, y, optimizer=fn.SGD(0.0), batch_size=1, epochs=2, shuffle=False, verbose=False)
        want = [model.loss_and_gradients(x[i : i + 1], y[i : i + 1])[0] for i in range(10)]
        assert list(model.history.steps["loss"]) == 2 * want


class TestCallbacks:
    def test_order_of_events(self):
        recorder = Recorder(every=1)
        fit(tiny_model(), epochs=2, callbacks=[recorder])
        epoch = [("epoch_begin", 0), *[("batch_begin", 0), ("batch_end", 0)] * 3, ("epoch_end", 1)]
        want = [("train_begin", 0), *epoch, *[(name, number + 1) for name, number in epoch], ("train_end", 2)]
        assert [event[:2] for event in recorder.events] == want

    @pytest.mark.parametrize(
        ("every", "begins", "ends"),
        [(1, [0, 1, 2, 3, 4], [1, 2, 3, 4, 5]), (2, [0, 2, 4], [2, 4]), (7, [0], []), (0, [], [])],
    )
    def test_every(self, every, begins, ends):
        recorder = Recorder(every)
        fit(tiny_model(), batch_size=8, callbacks=[recorder])
        assert recorder.steps("batch_begin") == [(0, step) for step in begins]
        assert recorder.steps("batch_end") == [(0, step) for step in ends]

    def test_each_at_its_own_interval(self):
        two, three = Recorder(2), Recorder(3)
        fit(tiny_model(), batch_size=5, callbacks=[two, three])
        assert [step for _, step in two.steps("batch_end")] == [2, 4, 6, 8]
        assert [step for _, step in three.steps("batch_end")] == [3, 6]

    def test_logs_hold_the_figures_so_far(self):
        seen = []

        class Watch(fn.Callback):
            every = 1

            def on_batch_end(self, run):
                seen.append((run.step, run.steps, run.samples, run.batch_size, run.logs["loss"]))

        history = fit(tiny_model(), callbacks=[Watch()]).history
        assert [entry[:4] for entry in seen] == [(1, 3, 40, 16), (2, 3, 40, 16), (3, 3, 40, 16)]
        np.testing.assert_allclose(seen[0][4], history.steps["loss"][0], rtol=1e-6)
        assert seen[-1][4] == history["loss"][0]

    def test_a_rate_set_before_a_batch_counts_for_it(self):
        class Rate(fn.Callback):
            every = 1

            def on_batch_begin(self, run):
                run.optimizer.lr = 0.0

        model = tiny_model()
        before = bits(model.parameters)
        assert bits(fit(model, optimizer=fn.SGD(0.5), callbacks=[Rate()]).parameters) == before

    def test_stop_after_a_step(self):
        recorder = Recorder()
        model = fit(tiny_model(), epochs=5, callbacks=[StopAt(2, step=2), recorder])
        assert len(model.history.steps["loss"]) == 3 + 2
        assert model.history.stop_reason == "far enough"
        assert model.epoch == 2
        assert recorder.events[-1] == ("train_end", 2, 2)

    def test_stop_after_an_epoch(self):
        model = fit(tiny_model(), epochs=5, callbacks=[StopAt(3)])
        assert len(model.history) == model.epoch == 3
        fit(model, epochs=1)
        assert model.history.stop_reason is None
        assert len(model.history) == 4

    def test_stop_before_an_epoch(self):
        class NotThisOne(fn.Callback):
            def on_epoch_begin(self, run):
                if run.epoch == 1:
                    run.stop("no")

        model = fit(tiny_model(), epochs=5, callbacks=[NotThisOne()])
        assert len(model.history) == model.epoch == 1
        assert len(model.history.steps["loss"]) == 3

    def test_train_end_comes_even_after_an_error(self):
        recorder = Recorder()
        with pytest.raises(KeyboardInterrupt):
            fit(tiny_model(), epochs=3, callbacks=[recorder, StopAt(2, step=1, error=KeyboardInterrupt())])
        assert recorder.events[-1][0] == "train_end"

    def test_where_one_fails_at_the_beginning_those_that_began_are_ended(self):
        class Fails(fn.Callback):
            def on_train_begin(self, run):
                raise RuntimeError("at the beginning")

            def on_train_end(self, run):
                raise AssertionError("it has not begun")

        first, second, after = Recorder(), Recorder(), Recorder()
        with pytest.raises(RuntimeError, match="at the beginning"):
            fit(tiny_model(), callbacks=[first, second, Fails(), after])
        assert [name for name, *_ in first.events] == ["train_begin", "train_end"] == [n for n, *_ in second.events]
        assert not after.events

    def test_where_one_fails_at_the_end_the_others_are_ended(self):
        class Fails(fn.Callback):
            def on_train_end(self, run):
                raise RuntimeError("at the end")

        recorder = Recorder()
        with pytest.raises(RuntimeError, match="at the end"):
            fit(tiny_model(), callbacks=[Fails(), recorder])
        assert recorder.events[-1][0] == "train_end"


def test_the_first_reason_to_stop_is_kept():
    class Why(fn.Callback):
        def __init__(self, reason):
            self.reason = reason

        def on_epoch_end(self, run):
            run.stop(self.reason)

    assert fit(tiny_model(), callbacks=[Why("enough"), Why("too much")]).history.stop_reason == "enough"


def test_samples_done_begin_at_0_with_each_epoch():
    class Told(fn.Callback):
        every = 1

        def __init__(self):
            self.seen = []

        def tell(self, run):
            self.seen.append(run.samples_done)

        on_train_begin = on_epoch_begin = on_batch_end = tell

    told = Told()
    fit(tiny_model(), epochs=2, callbacks=[told])  # of 40 samples in batches of 16
    assert told.seen == [0, *[0, 16, 32, 40] * 2]


def test_a_run_describes_itself():
    seen = []

    class Look(fn.Callback):
        def on_train_begin(self, run):
            seen.append(run)

    model, opt = tiny_model(), fn.SGD(0.1)
    fit(model, epochs=2, optimizer=opt, callbacks=[Look()])
    (run,) = seen
    assert isinstance(run, Run)
    assert (run.model, run.optimizer, run.history) == (model, opt, model.history)
    assert (run.epoch, run.last_epoch, run.steps, run.samples) == (2, 2, 3, 40)


class TestManyEpochsInOneCall:
    """Full-batch epochs of tiny nets are steps of one compiled call, unless somebody looks at each."""

    x = np.random.default_rng(0).normal(size=(30, 2))
    y = np.arange(30) % 2

    def trained(self, epochs, callbacks=(), lr=0.1):
        model = fn.Sequential([fn.Dense(3, "tanh"), fn.Dense(2)], input_shape=(2,), dtype="float64", l2=0.01)
        options = {"batch_size": None, "epochs": epochs, "callbacks": callbacks, "verbose": False}
        model.fit(self.x, self.y, optimizer=fn.SGD(lr, momentum=0.5), **options)
        return model

    def test_they_are_the_epochs_that_callbacks_see_one_by_one(self):
        together, apart = self.trained(40), self.trained(40, [fn.Callback()])
        assert np.array_equal(together.parameters.flat, apart.parameters.flat)
        assert together.epoch == apart.epoch == 40
        for ours, theirs in zip(together.history.epochs, apart.history.epochs, strict=True):
            assert [ours[k] for k in ("epoch", "loss", "accuracy", "lr")] == [
                theirs[k] for k in ("epoch", "loss", "accuracy", "lr")
            ]
        assert list(together.history.steps["loss"]) == list(apart.history.steps["loss"])

    def test_a_walk_that_diverges_ends_where_one_by_one_would(self):
        ends = []
        for callbacks in ((), [fn.Callback()]):
            model = fn.Sequential([fn.Dense(1)], input_shape=(2,), loss="mse")
            options = {"batch_size": None, "epochs": 5000, "callbacks": callbacks, "verbose": False}
            with pytest.raises(fn.NonFiniteError) as error:
                model.fit(self.x, self.y, optimizer=fn.SGD(3.0), **options)
            assert len(model.history.epochs) == model.epoch > 3
            ends.append((str(error.value), model.epoch, model.parameters.flat.tobytes()))
        assert ends[0] == ends[1]


class TestStepsPerEpoch:
    X, Y = trigrams(40)

    def train(self, **options):
        model, settings = tiny_model(), {"optimizer": fn.SGD(0.3, momentum=0.8), "batch_size": None, "verbose": False}
        model.fit(self.X, self.Y, **settings | options)
        return model

    def test_an_epoch_of_many_steps_has_the_bits_of_as_many_epochs_of_one(self):
        many, one = self.train(epochs=3, steps_per_epoch=5), self.train(epochs=15)
        assert bits(many.parameters) == bits(one.parameters)
        assert many.history.steps["loss"] == one.history.steps["loss"]
        losses = one.history["loss"]
        assert many.history["loss"] == pytest.approx([np.mean(losses[i : i + 5]) for i in (0, 5, 10)])
        assert many.history.epochs[-1]["epoch"] == 3

    def test_callbacks_see_the_steps_of_an_epoch(self):
        class Counts(fn.Callback):
            every = 2

            def on_batch_end(self, run):
                seen.append((run.epoch, run.step, run.steps, run.samples, run.samples_done))

        seen = []
        self.train(epochs=2, steps_per_epoch=4, callbacks=[Counts()])
        assert seen == [(0, 2, 4, 160, 80), (0, 4, 4, 160, 160), (1, 2, 4, 160, 80), (1, 4, 4, 160, 160)]

    def test_a_training_is_resumed_with_as_many_steps_or_not_at_all(self, tmp_path):
        path = tmp_path / "c.h5"
        self.train(epochs=2, steps_per_epoch=3, callbacks=[fn.Checkpoint(path)])
        resumed = self.train(epochs=4, steps_per_epoch=3, callbacks=[fn.Checkpoint(path, resume=True)])
        assert bits(resumed.parameters) == bits(self.train(epochs=4, steps_per_epoch=3).parameters)
        with pytest.raises(fn.FileFormatError, match="samples 120, not 40"):
            self.train(epochs=4, callbacks=[fn.Checkpoint(path, resume=True)])

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"steps_per_epoch": 3, "batch_size": 16}, ValueError, "a step takes 16 of 40 samples.*batch_size=None"),
            ({"steps_per_epoch": 0}, ValueError, "steps_per_epoch is 0, expected at least 1"),
            ({"steps_per_epoch": 1.5}, TypeError, "steps_per_epoch is 1.5, expected a whole number"),
        ],
    )
    def test_refused(self, options, error, message):
        with pytest.raises(error, match=message):
            self.train(**options)
