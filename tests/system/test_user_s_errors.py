"""A user's np.seterr(all="raise") and warnings.simplefilter("error") end no training, and change none."""

import warnings

import numpy as np
import pytest

import fastnn as fn
from fastnn import plots
from tests.tiny import bits, dense_model, fit, tiny_model, trigrams


@pytest.fixture
def strict():
    """A function that calls another as a strict user does."""

    def call(function):
        with np.errstate(all="raise"), warnings.catch_warnings():
            warnings.simplefilter("error")
            return function()

    return call


OPTIMIZERS = {
    "sgd": lambda: fn.SGD(0.1, momentum=0.5),
    "a rate that float32 rounds to 0": lambda: fn.SGD(1e-60),
    "a bound that float32 rounds to infinity": lambda: fn.SGD(0.1, clip_norm=1e300, clip_value=1e300),
    "adam": lambda: fn.Adam(0.01),
    "adamw": lambda: fn.AdamW(1e-200, weight_decay=1e-200),
    "rmsprop": lambda: fn.RMSProp(0.01),
    "adagrad": lambda: fn.AdaGrad(0.01),
    "rounded state": lambda: fn.Adam(0.01, state_dtype="bfloat16"),
    "decay by step": lambda: fn.Adam(fn.ExponentialDecay(0.1, 0.5, "step")),
    "decay by epoch": lambda: fn.SGD(fn.ExponentialDecay(0.1, 0.5)),
    "steps": lambda: fn.SGD(fn.StepDecay(0.1, 0.5, 1, "step")),
    "a cosine": lambda: fn.SGD(fn.CosineDecay(0.1, steps=8000, end=1e-9)),
}


@pytest.mark.parametrize("iteration", [0, 6998, 7090, 10**6])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_long_trainings(strict, name, iteration):
    """Where β₁ and β₂ to the power of the step become denormal, and where they are 0."""

    def trained():
        opt = OPTIMIZERS[name]()
        opt.iteration = opt.epoch = iteration
        model = fit(tiny_model(l2=1e-50), optimizer=opt, epochs=2, validation_data=trigrams(8))
        return bits(model.parameters), model.history["loss"], model.history["lr"]

    assert strict(trained) == trained()


@pytest.mark.parametrize("iteration", [0, 7000])
def test_steps_by_hand(strict, iteration):
    def stepped():
        opt, w = fn.Adam(1e-50, clip_norm=1e-20, clip_value=1e-42), np.full(3, 1e-30, np.float32)
        opt.iteration = iteration
        opt.step({"w": w}, {"w": np.full(3, 1e-30, np.float32)})
        return w.tobytes(), opt.current_lr

    assert strict(stepped) == stepped()


@pytest.mark.parametrize(("dtype", "small"), [("float32", 1e-30), ("float64", 1e-200)])
def test_callbacks_and_pictures(strict, tmp_path, dtype, small):
    def watched(folder):
        folder.mkdir()
        model, opt = tiny_model(dtype=dtype), fn.Adam(0.01)
        model.parameters["dense.w"] *= small
        opt.iteration = 7000
        watching = [
            fn.Monitor(1, folder / "m.h5"),
            fn.GradientNorms(),
            fn.EarlyStopping("loss"),
            fn.ReduceOnPlateau("loss", patience=1),
            fn.Checkpoint(folder / "c.h5"),
        ]
        fit(model, optimizer=opt, epochs=3, callbacks=watching, verbose=True)
        return model

    def drawn(folder):
        model = watched(folder)
        for name, figure in plots.monitor(model.history.monitor).items():
            plots.save(figure, folder / f"{name}.png")
        plots.save(plots.learning_curves({"a": model.history.epochs}), folder / "curves.png")
        return model

    def figures(model):
        return [bits(model.parameters), [record["std"] for record in model.history.monitor]]

    got = strict(lambda: figures(drawn(tmp_path / "strict")))
    assert got == figures(watched(tmp_path / "lax"))  # pictures change no figure: they are drawn once


def test_what_is_asked_of_a_model(strict, tmp_path):
    def asked():
        model = fn.load(tmp_path / "m.h5")
        model.set_parameters({"dense.b": [1e-60] * 5})
        model.parameters["dense_1.b"] = [1e-60] * 11
        loss, gradients = model.loss_and_gradients(*trigrams())
        return [
            model.evaluate(*trigrams()),
            model.predict(trigrams()[0]).tobytes(),
            (loss, bits(gradients)),
            fn.check_gradients(model, *trigrams(5), entries=2),
            # Four steps whose sums of losses are finite, and together are not.
            dense_model(dtype="float64", loss="mse").evaluate(np.zeros((2000, 5)), np.full((2000, 3), 3e152)),
            dense_model().predict(np.full((3, 5), 1e38)).tobytes(),
            dense_model(dtype="float64").predict(np.full((3, 5), 1e308)).tobytes(),
        ]

    tiny_model().save(tmp_path / "m.h5")
    assert strict(asked) == asked()


def test_weights_that_underflow_together(strict):
    def trained():
        weights = {"sample_weight": [1e-300, 1e-300, 1, 1], "class_weight": {0: 1e-300}}
        model = dense_model()
        model.fit(np.ones((4, 5)), [0, 1, 2, 0], optimizer=fn.SGD(0.1), verbose=False, **weights)
        return bits(model.parameters)

    assert strict(trained) == trained()


def test_a_training_that_diverges_says_where(strict):
    def diverges():
        with pytest.raises(fn.NonFiniteError) as caught:
            dense_model(loss="mse").fit(
                np.full((30, 5), 1e20), np.full((30, 3), -1e30), optimizer=fn.SGD(10.0, momentum=1e-60), verbose=False
            )
        return str(caught.value)

    assert strict(diverges) == diverges()


def test_a_user_s_own_callback_keeps_the_user_s_choice(strict):
    class Asks(fn.Callback):
        every = 1

        def on_batch_end(self, run):
            assert set(np.geterr().values()) == {"raise"}

    strict(lambda: fit(tiny_model(), callbacks=[Asks()]))


def test_a_user_s_own_schedule_may_underflow(strict):
    class Halves(fn.schedules.Schedule):
        name = "halves"

        def __call__(self, iterations, epoch):
            return self.lr * 0.5 ** iterations.astype(float)

    def trained():
        opt = fn.SGD(Halves(0.1))
        opt.iteration = 5000
        return bits(fit(tiny_model(), optimizer=opt).parameters)

    assert strict(trained) == trained()
