"""Training goes on from a checkpoint as if nothing had happened."""

import numpy as np
import pytest

import fastnn as fn
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


def test_a_model_alone_is_no_checkpoint(tmp_path):
    fit(tiny_model()).save(tmp_path / "model.h5")
    with pytest.raises(fn.FileFormatError, match="without a training state"):
        fit(tiny_model(), callbacks=[fn.Checkpoint(tmp_path / "model.h5", resume=True)])


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
