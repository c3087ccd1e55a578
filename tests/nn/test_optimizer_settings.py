"""An optimizer's settings: checked where they are given or assigned, and counted from the next step on."""

import copy
import re

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn import optimizers
from tests.tiny import bits, fit, tiny_model, trigrams

WRONG_LATER = {
    "lr": (fn.Adam, -1.0, "Adam: lr is -1.0, expected a finite number ≥ 0"),
    "beta1": (fn.Adam, 1.0, "Adam: beta1 is 1.0, expected 0 ≤ beta1 < 1"),
    "beta2": (fn.AdamW, float("nan"), "AdamW: beta2 is nan, expected 0 ≤ beta2 < 1"),
    "eps": (fn.AdaGrad, 0, "AdaGrad: eps is 0.0, expected above 0"),
    "decay": (fn.RMSProp, 2, "RMSProp: decay is 2.0, expected 0 ≤ decay < 1"),
    "weight_decay": (fn.AdamW, -1, "AdamW: weight_decay is -1, expected a finite number ≥ 0"),
    "initial_accumulator_value": (fn.AdaGrad, -1, "AdaGrad: initial_accumulator_value is -1, expected"),
    "momentum": (fn.SGD, 1.5, "SGD: momentum is 1.5, expected 0 ≤ momentum < 1"),
    "nesterov": (fn.SGD, "no", "SGD: nesterov is 'no', expected True or False"),
    "clip_norm": (fn.SGD, 0, "SGD: clip_norm is 0.0, expected above 0"),
    "clip_value": (fn.SGD, "1", "SGD: clip_value is '1', expected a number"),
    "state_dtype": (fn.Adam, "float16", "Adam: state_dtype is 'float16', expected None"),
}


@pytest.mark.parametrize("setting", WRONG_LATER)
def test_what_is_assigned_is_checked_as_an_argument_is(setting):
    kind, value, message = WRONG_LATER[setting]
    opt = kind(0.1)
    before = opt.config()
    with pytest.raises((ValueError, TypeError), match=message):
        kind(**{setting: value})
    with pytest.raises((ValueError, TypeError), match=message):
        setattr(opt, setting, value)
    assert opt.config() == before


def test_all_settings_are_checked_where_they_are_assigned():
    assert all(kind._checks.keys() >= set(kind.settings) for kind in optimizers.KINDS)
    checked = {name for kind in optimizers.KINDS for name in kind._checks}
    assert checked - {"iteration", "epoch", "state"} == WRONG_LATER.keys()  # these are no arguments


WRONG_STATE = {
    "x": "Adam: state is 'x', expected {name of a parameter: {name of a state array: array}}",
    ("dense.w",): "Adam: state is ('dense.w',), expected",
}


@pytest.mark.parametrize("given", WRONG_STATE)
def test_state_that_is_none_is_refused_where_it_is_assigned(given):
    opt = fn.Adam()
    with pytest.raises(TypeError, match="^" + re.escape(WRONG_STATE[given])):
        opt.state = given
    with pytest.raises(TypeError, match=r"^Adam: state\['w'\] is array.*, expected {name of a state array: array}$"):
        opt.state = {"w": np.ones(2)}
    assert opt.state == {}


def stepped(opt, **later):
    """The weights after three steps by hand and by `train_on_batch`, with settings assigned after the first."""
    made = []
    for by_hand in (True, False):
        one, model = copy.deepcopy(opt), tiny_model()
        for step in range(3):
            x, y = trigrams(8, seed=step)
            if step == 1:
                for name, value in later.items():
                    setattr(one, name, value)
            if by_hand:
                one.step(model.parameters, model.loss_and_gradients(x, y)[1])
            else:
                model.train_on_batch(x, y, optimizer=one)
        made.append(bits(model.parameters))
    return made


LATER = {
    "nesterov": (fn.SGD(0.3, momentum=0.8), True),
    "momentum": (fn.SGD(0.3, momentum=0.8), 0.0),
    "beta1": (fn.Adam(0.1), 0.5),
    "clip_value": (fn.SGD(0.3), 1e-3),
}


@pytest.mark.parametrize("setting", LATER)
def test_what_is_assigned_counts_from_the_next_step_of_an_own_loop(setting):
    opt, value = LATER[setting]
    by_hand, by_batch = stepped(opt, **{setting: value})
    assert by_hand == by_batch != stepped(opt)[0]


def test_momentum_that_is_assigned_where_no_velocity_is_kept():
    opt = fn.SGD(0.1)
    with pytest.raises(ValueError, match=r"momentum is 0.9, but .* was made with momentum 0.*fn.SGD.lr, momentum=0.9"):
        opt.momentum = 0.9
    assert opt.momentum == 0
    opt.momentum = 0


@pytest.mark.parametrize(("before", "after"), [(None, "bfloat16"), ("bfloat16", None)])
def test_state_is_converted_where_its_dtype_is_assigned(before, after):
    """The state is made anew in the other dtype, from the numbers that were there."""
    opt, model = fn.Adam(0.01, state_dtype=before), tiny_model()
    fit(model, optimizer=opt)
    moments = {name: np.array(fn.bfloat16.decoded(p["m"]) if before else p["m"]) for name, p in opt.state.items()}
    opt.state_dtype = after
    opt.attach(model.parameters)
    for name, parts in opt.state.items():
        got = fn.bfloat16.decoded(parts["m"]) if after else parts["m"]
        np.testing.assert_allclose(got, moments[name], rtol=2**-8)
    fit(model, optimizer=opt)
    assert all(np.isfinite(w).all() for w in model.parameters.values())


def test_lr_and_momentum_may_change_between_steps():
    opt = fn.SGD(0.3, momentum=0.8)
    w, v, total = np.ones(3), np.zeros(3), np.ones(3)
    for opt.lr, opt.momentum in [(0.3, 0.8), (0.1, 0.5), (0.1, 0.0)]:
        opt.step({"w": w}, {"w": np.ones(3)})
        v = opt.momentum * v - opt.lr
        total = total + v
    np.testing.assert_allclose(w, total, rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((-0.1,), ValueError),
        ((float("nan"),), ValueError),
        ((float("inf"),), ValueError),
        (("0.1",), TypeError),
        ((True,), TypeError),
        ((0.1, 1.0), ValueError),
        ((0.1, -0.5), ValueError),
    ],
)
def test_bad_settings(arguments, error):
    with pytest.raises(error, match="SGD: "):
        fn.SGD(*arguments)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (fn.SGD, {"lr": 0.01, "momentum": 0.0, "nesterov": False}),
        (fn.RMSProp, {"lr": 0.001, "decay": 0.99, "eps": 1e-8}),
        (fn.AdaGrad, {"lr": 0.01, "eps": 1e-8, "initial_accumulator_value": 0.0}),
        (fn.Adam, {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}),
        (fn.AdamW, {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01}),
    ],
)
def test_settings_that_nobody_gave(kind, settings):
    """Those of the papers and of other libraries: a training that names none depends on them."""
    optimizer = kind()
    assert {name: getattr(optimizer, name) for name in settings} == settings
    assert (optimizer.clip_norm, optimizer.clip_value, optimizer.state_dtype) == (None, None, None)


def test_config_makes_an_equal_optimizer():
    opt = fn.SGD(0.2, momentum=0.5, nesterov=True)
    assert optimizers.from_config(opt.config()).config() == opt.config()
    assert repr(opt) == "SGD(lr=0.2, momentum=0.5, nesterov=True)"
    with pytest.raises(ValueError, match="did you mean sgd"):
        optimizers.from_config({"name": "sdg"})


@pytest.mark.parametrize(("lr", "error"), [(-1, ValueError), (float("nan"), ValueError), ("fast", TypeError)])
def test_an_assigned_rate_is_checked(lr, error):
    optimizer = fn.Adam(0.5)
    with pytest.raises(error, match="Adam: lr is"):
        optimizer.lr = lr
    assert optimizer.lr == 0.5
    optimizer.lr = np.float32(0.25)
    assert type(optimizer.lr) is float


@pytest.mark.parametrize("eps", [1e-46, 1e39])
@pytest.mark.parametrize("kind", [kind for kind in optimizers.KINDS if "eps" in kind.settings])
def test_an_eps_must_be_a_number_of_the_model_s_dtype(kind, eps):
    """In float32 one is 0, so gradients of 0 give NaN, and the other is infinite, so no weight moves."""
    message = f"^{kind.__name__}: eps is {re.escape(str(eps))}, expected 1.4e-45 to 3.4e\\+38, which float32 can hold"
    model = tiny_model()
    gradients = model.loss_and_gradients(*trigrams(16))[1]
    calls = (
        lambda: fit(model, optimizer=kind(eps=eps)),
        lambda: model.train_on_batch(*trigrams(16), optimizer=kind(eps=eps)),
        lambda: kind(eps=eps).step(model.parameters, gradients),
        lambda: kind(eps=eps).step({"w": np.zeros(3, np.float32)}, {"w": np.zeros(3)}),
    )
    start = bits(model.parameters)
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call()
    assert bits(model.parameters) == start
    fit(tiny_model(dtype="float64"), optimizer=kind(eps=eps))
