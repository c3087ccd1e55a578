"""Training goes on from a checkpoint as if nothing had happened."""

from types import SimpleNamespace

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.models import storage
from tests.tiny import Scripted, StopAt, bits, fit, tiny_model


def callbacks(path, order, resume, extra=()):
    """A stopping rule on a scripted figure, and a checkpoint, in either order."""
    stopping = fn.EarlyStopping(patience=2, restore_best=True)
    both = [stopping, fn.Checkpoint(path, resume=resume)]
    return [Scripted(val_loss=[3, 1, 2, 0.5, 0.7, 0.8, 0, 0]), *both[::order], *extra], stopping


def train(path, epochs=8, order=1, resume=True, extra=()):
    """One training of a model of its own, resumed from `path` if there is something."""
    model, opt = tiny_model(), fn.SGD(0.3, momentum=0.8)
    watching, stopping = callbacks(path, order, resume, extra)
    try:
        fit(model, epochs=epochs, optimizer=opt, callbacks=watching)
    except KeyboardInterrupt:
        return None
    figures = [{name: epoch[name] for name in ("epoch", "loss", "accuracy")} for epoch in model.history.epochs]
    state = {name: bits(parts) for name, parts in opt.state.items()}
    return {
        "parameters": bits(model.parameters),
        "state": (opt.iteration, state),
        "epochs": (model.epoch, figures, model.history.stop_reason),
        "steps": model.history.steps["loss"].tobytes(),
        "stopping": (stopping.best, stopping.best_epoch, stopping.waited, stopping.stopped),
    }


class TestResume:
    @pytest.mark.parametrize("order", [1, -1])
    @pytest.mark.parametrize(
        "interruption",
        [StopAt(1), StopAt(2, step=2), StopAt(4, step=1), StopAt(5), StopAt(6)],
        ids=lambda at: f"{at.epoch}-{at.step}",
    )
    def test_the_same_bits_as_without_the_interruption(self, tmp_path, order, interruption):
        interruption.error = KeyboardInterrupt()
        whole = train(tmp_path / "whole.h5", order=order)
        assert whole["epochs"][0] == 6
        assert train(tmp_path / "parts.h5", order=order, extra=[interruption]) is None
        resumed = train(tmp_path / "parts.h5", order=order)
        for name, want in whole.items():
            assert resumed[name] == want, name

    def test_a_finished_training_stays_finished(self, tmp_path):
        whole = train(tmp_path / "whole.h5")
        assert train(tmp_path / "whole.h5") == whole

    def test_more_epochs_may_be_asked_for(self, tmp_path):
        assert train(tmp_path / "a.h5", epochs=2)["epochs"][0] == 2
        assert train(tmp_path / "a.h5", epochs=4)["epochs"] == train(tmp_path / "b.h5", epochs=4)["epochs"]

    def test_without_resume_a_file_there_is_replaced(self, tmp_path):
        train(tmp_path / "a.h5", epochs=3)
        assert train(tmp_path / "a.h5", epochs=1, resume=False)["epochs"][0] == 1
        assert fn.load(tmp_path / "a.h5").epoch == 1

    def test_a_checkpoint_is_a_model(self, tmp_path, data):
        model = fit(tiny_model(), callbacks=[fn.Checkpoint(tmp_path / "a.h5")])
        assert np.array_equal(fn.load(tmp_path / "a.h5").predict(data[0]), model.predict(data[0]))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"seed": 1}, "seed 0, not 1"),
            ({"hidden": 6}, "another network"),
            ({"dtype": "float64"}, "dtype float32, not float64"),
            ({"lr": 0.1}, r"was trained with optimizer \{.*0.3.*\}, not \{.*0.1.*\}"),
            ({"more": [fn.EarlyStopping("loss")]}, r"callbacks \[\], not \['EarlyStopping'\]"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, tmp_path, change, message):
        path = tmp_path / "a.h5"
        fit(tiny_model(), callbacks=[fn.Checkpoint(path)])
        lr, more = change.pop("lr", 0.3), change.pop("more", [])
        model = tiny_model(**change)
        before = bits(model.parameters)
        with pytest.raises(fn.FileFormatError, match=message):
            fit(model, optimizer=fn.SGD(lr, momentum=0.8), callbacks=[fn.Checkpoint(path, resume=True), *more])
        assert bits(model.parameters) == before


def test_the_memory_that_a_checkpoint_takes(tmp_path):
    """All of a file where it is read: to resume, and at the end, where the best parameters are put beside the last."""
    path, optimizer = tmp_path / "a.h5", fn.SGD(0.3, momentum=0.8)
    model = fit(tiny_model(), optimizer=optimizer, callbacks=[fn.Checkpoint(path)])
    state = sum(array.nbytes for array in optimizer.flat_state())
    assert state > 0

    def taken(*callbacks, resume=False, path=path):
        run = SimpleNamespace(model=model, optimizer=optimizer, callbacks=callbacks)
        return fn.Checkpoint(path, resume=resume).bytes_kept(run)

    assert taken() == 0
    assert taken(resume=True, path=tmp_path / "none.h5") == 0
    assert taken(resume=True) == model.state.nbytes + state
    assert taken(fn.EarlyStopping("loss", restore_best=True)) == 2 * model.state.nbytes + state
    assert taken(fn.EarlyStopping("loss")) == 0


def test_a_model_alone_is_no_checkpoint(tmp_path):
    fit(tiny_model()).save(tmp_path / "model.h5")
    with pytest.raises(fn.FileFormatError, match="without a training state"):
        fit(tiny_model(), callbacks=[fn.Checkpoint(tmp_path / "model.h5", resume=True)])


STATE = ("optimizer", "state", "dense_1.w", "velocity")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("optimizer",), 3, "optimizer is int, expected a dict"),
        (("optimizer", "iteration"), -1, "iteration is -1, expected a whole number from 0 up"),
        (("optimizer", "iteration"), 1.5, "iteration is 1.5, expected a whole number"),
        (("optimizer", "epoch"), True, "epoch is True, expected a whole number"),
        (("optimizer", "config"), '{"lr": "fast"}', "lr is 'fast', expected a finite number"),
        (("optimizer", "config"), '{"lr": -0.1}', "lr is -0.1, expected a finite number from 0 up"),
        (("optimizer", "config"), '{"lr": Infinity}', "lr is inf, expected a finite number"),
        (("optimizer", "state"), {}, "state of other parameters"),
        (STATE, np.zeros((5, 3), "float32"), r"dense_1.w/velocity is \(5, 3\) float32, expected \(5, 11\) float32"),
        (("history",), 3, "history is int, expected a dict"),
        (("history", "epochs"), "none", "no list of dicts"),
        (("history", "epochs"), [1], "no list of dicts"),
        (("history", "steps"), 3, "steps is int, expected a dict"),
        (("history", "steps", "loss"), np.zeros(3, "float32"), r"'loss' is \(3,\) float32, expected \(3,\) float64"),
        (("callbacks",), 3, "callbacks is int, expected a dict"),
    ],
)
def test_a_training_state_that_does_not_fit_is_refused_before_anything_changes(tmp_path, place, value, message):
    path = tmp_path / "a.h5"
    fit(tiny_model(), callbacks=[fn.Checkpoint(path)])
    saved = storage.read(path)
    *above, last = place
    into = saved.training
    for name in above:
        into = into[name]
    into[last] = value
    storage.save(path, saved)
    model, optimizer = tiny_model(), fn.SGD(0.3, momentum=0.8)
    before = bits(model.parameters)
    with pytest.raises(fn.FileFormatError, match=message):
        fit(model, optimizer=optimizer, callbacks=[fn.Checkpoint(path, resume=True)])
    assert (bits(model.parameters), model.epoch, optimizer.iteration) == (before, 0, 0)


def test_a_callback_s_state_with_other_keys_than_strings_is_named(tmp_path):
    class Numbered(fn.Callback):
        def state_dict(self):
            return {"seconds": {1: 0.5}}

    with pytest.raises(TypeError, match=r"callbacks/Numbered/seconds has the key 1, .*expected strings"):
        fit(tiny_model(), callbacks=[Numbered(), fn.Checkpoint(tmp_path / "c.h5")])
    assert list(tmp_path.iterdir()) == []


def test_a_training_with_a_loss_of_one_s_own_goes_on(tmp_path):
    """The file cannot hold the loss: the model that is trained has it."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))

    def trained(epochs, **options):
        loss = fn.ElementwiseLoss(value=lambda s, t: (s - t) ** 4, gradient=lambda s, t: 4 * (s - t) ** 3)
        model = fn.Sequential([fn.Dense(5, "tanh"), fn.Dense(2)], input_shape=(4,), loss=loss)
        settings = {"optimizer": fn.Adam(0.01), "batch_size": 8, "epochs": epochs, "verbose": False}
        model.fit(x, y, callbacks=[fn.Checkpoint(tmp_path / "c.h5", **options)], **settings)
        return bits(model.parameters)

    want = trained(4)
    trained(2)
    assert trained(4, resume=True) == want


class Kept(fn.Callback):
    """The parameters and statistics after each epoch."""

    def __init__(self):
        self.states = {}

    def on_epoch_end(self, run):
        self.states[run.epoch] = bits(run.model.parameters) | bits(run.model.buffers)


def normalised_model():
    normal = fn.initializers.Normal(0.5)
    layers = [fn.Embedding(11, 3, normal), fn.Flatten(), fn.BatchNorm(momentum=0.5), fn.Dense(11)]
    return fn.Sequential(layers, input_shape=(3,))


class TestTheBestParameters:
    """Of a training with EarlyStopping(restore_best=True) the file is the model that the training leaves."""

    VALUES = (3, 2, 0.5, 2, 2.5, 0.7, 0.8, 0.1)

    def train(self, path, epochs, patience=9, resume=False, extra=(), **options):
        model, kept = normalised_model(), Kept()
        stopping = fn.EarlyStopping(patience=patience, restore_best=True)
        watching = [Scripted(val_loss=self.VALUES), kept, stopping, fn.Checkpoint(path, resume=resume), *extra]
        fit(model, epochs=epochs, callbacks=watching, **options)
        return model, kept.states

    def loaded(self, path):
        model = fn.load(path)
        return bits(model.parameters) | bits(model.buffers)

    @pytest.mark.parametrize(("patience", "last"), [(9, 5), (1, 4)], ids=["all epochs", "stopped"])
    def test_are_in_the_file(self, tmp_path, patience, last):
        model, states = self.train(tmp_path / "c.h5", epochs=5, patience=patience)
        assert list(states) == list(range(1, last + 1))
        assert self.loaded(tmp_path / "c.h5") == states[3] == bits(model.parameters) | bits(model.buffers)
        assert states[3] != states[last]
        assert fn.load(tmp_path / "c.h5").epoch == last

    def test_a_training_of_more_epochs_goes_on_from_the_last_ones(self, tmp_path):
        whole, states = self.train(tmp_path / "whole.h5", epochs=8)
        for epochs in (4, 4, 6, 8):  # twice the same: a training that has nothing to do keeps the file as it is
            parts, of_parts = self.train(tmp_path / "parts.h5", epochs=epochs, resume=True)
            for epoch, got in of_parts.items():
                assert got == states[epoch], epoch
        assert bits(parts.parameters) == bits(whole.parameters)
        assert self.loaded(tmp_path / "parts.h5") == self.loaded(tmp_path / "whole.h5") == states[8]

    def test_are_in_the_file_after_an_interruption_which_resumes_exactly(self, tmp_path):
        _, states = self.train(tmp_path / "whole.h5", epochs=6)
        stop = StopAt(5, step=2, error=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            self.train(tmp_path / "c.h5", epochs=6, extra=[stop])
        assert self.loaded(tmp_path / "c.h5") == states[3]
        _, resumed = self.train(tmp_path / "c.h5", epochs=6, resume=True)
        assert resumed == {epoch: states[epoch] for epoch in (5, 6)}

    def test_a_training_that_was_stopped_stays_stopped_with_them(self, tmp_path):
        self.train(tmp_path / "c.h5", epochs=8, patience=1)
        before = self.loaded(tmp_path / "c.h5")
        model, states = self.train(tmp_path / "c.h5", epochs=8, patience=1, resume=True)
        assert states == {}
        assert model.history.stop_reason == "val_loss did not improve for 1 epoch"
        assert self.loaded(tmp_path / "c.h5") == before == bits(model.parameters) | bits(model.buffers)

    def test_the_file_of_another_training_is_left_alone(self, tmp_path):
        """Interrupted in its first epoch, a training has written nothing, and has no best parameters either."""
        self.train(tmp_path / "c.h5", epochs=2)
        before = (tmp_path / "c.h5").read_bytes()

        class PutsBack(fn.Callback):
            def on_train_end(self, run):
                run.put_back = True

        stop = StopAt(1, step=1, error=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            self.train(tmp_path / "c.h5", epochs=6, extra=[stop, PutsBack()])
        assert (tmp_path / "c.h5").read_bytes() == before
