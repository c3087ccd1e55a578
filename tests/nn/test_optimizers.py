"""SGD on arrays of any layout, against the formula, and inside a step."""

import copy
import pickle

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn import optimizers
from tests.tiny import bits, fit, tiny_model, trigrams

RNG = np.random.default_rng(1)
CASES = {
    "sgd": fn.SGD(0.3),
    "momentum": fn.SGD(0.3, momentum=0.8),
    "nesterov": fn.SGD(0.3, momentum=0.8, nesterov=True),
}


def formula(opt, w, v, g):
    """One step in float64: the new parameters and velocity."""
    v = opt.momentum * v - opt.lr * g
    return w + (opt.momentum * v - opt.lr * g if opt.nesterov else v), v


def arrays(layout, dtype):
    """Parameters of several shapes in one memory layout."""
    shapes = {"w": (5, 4), "b": (7,), "scalar": (), "empty": (0, 3)}
    made = {}
    for name, shape in shapes.items():
        if layout == "strided":
            larger = RNG.normal(size=[2 * extent for extent in shape]).astype(dtype)
            made[name] = larger[tuple(slice(None, None, 2) for _ in shape)]
        else:
            made[name] = np.asarray(RNG.normal(size=shape), dtype, order=layout)
        made[name] = made[name] if shape else np.array(1.5, dtype)
    return made


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("layout", ["C", "F", "strided"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_three_steps_follow_the_formula(case, layout, dtype):
    opt = copy.deepcopy(CASES[case])
    params = arrays(layout, dtype)
    want = {name: (w.astype(np.float64), np.zeros(w.shape)) for name, w in params.items()}
    same = dict(params)
    for _ in range(3):
        grads = {name: np.asarray(RNG.normal(size=w.shape), dtype) for name, w in params.items()}
        opt.step(params, grads)
        want = {name: formula(opt, *want[name], grads[name]) for name in params}
    assert opt.iteration == 3
    rtol = 1e-5 if dtype == "float32" else 1e-13
    for name in params:
        assert params[name] is same[name], "not in place"
        np.testing.assert_allclose(params[name], want[name][0], rtol=rtol, atol=rtol)
        if opt.momentum:
            np.testing.assert_allclose(opt.state[name]["velocity"], want[name][1], rtol=rtol, atol=rtol)


@pytest.mark.parametrize("case", list(CASES))
def test_a_pickled_one_steps_as_it_would_have(case):
    opt, (w, g) = copy.deepcopy(CASES[case]), RNG.normal(size=(2, 3, 4))
    opt.step({"w": w}, {"w": g})
    again, same = pickle.loads(pickle.dumps(opt)), w.copy()
    opt.step({"w": w}, {"w": g})
    again.step({"w": same}, {"w": g})
    np.testing.assert_array_equal(same, w)
    assert repr(again) == repr(opt)


def test_where_adagrad_s_sums_start():
    """In `step` and in `fit`; the padding of the state's rows stays 0."""
    w, g = RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5))
    opt, want = fn.AdaGrad(0.1, initial_accumulator_value=0.5), w - 0.1 * g / (np.sqrt(0.5 + g * g) + 1e-8)
    opt.step({"w": w}, {"w": g})
    np.testing.assert_allclose(w, want, rtol=1e-15)
    model, opt, by_hand = tiny_model(), *(fn.AdaGrad(0.1, initial_accumulator_value=0.5) for _ in range(2))
    x, y = trigrams(8)
    grads = model.loss_and_gradients(x, y)[1]
    stepped = {name: array.copy() for name, array in model.parameters.items()}
    by_hand.step(stepped, grads)
    model.fit(x, y, optimizer=opt, batch_size=None, verbose=False)
    assert bits(model.parameters) == bits(stepped)
    held = sum(array.size for array in model.parameters.values())
    assert np.count_nonzero(opt.flat_state()[0]) == held < opt.flat_state()[0].size
    assert optimizers.from_config(opt.config()).initial_accumulator_value == 0.5
    for bad in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="initial_accumulator_value is"):
            fn.AdaGrad(0.1, initial_accumulator_value=bad)


def test_worked_example_of_momentum():
    w, g, v = (np.linspace(*ends, 20).reshape(4, 5) for ends in [(-0.4, 0.6), (-0.6, 0.4), (0.6, 0.9)])
    opt = fn.SGD(1e-3, momentum=0.9)
    opt.state = {"w": {"velocity": v}}
    opt.step({"w": w}, {"w": g})
    np.testing.assert_allclose(w[0], [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789], atol=5e-9)
    assert abs(opt.state["w"]["velocity"][3, 4] - 0.8096) < 5e-9


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_plan_trains_like_a_loop_of_steps(case, dtype):
    opt, by_hand = copy.deepcopy(CASES[case]), copy.deepcopy(CASES[case])
    trained, stepped = (tiny_model(dtype=dtype) for _ in range(2))
    x, y = trigrams(20)
    trained.fit(x, y, optimizer=opt, batch_size=8, epochs=2, shuffle=False, verbose=False)
    for _ in range(2):
        for start in (0, 8, 16):
            _, grads = stepped.loss_and_gradients(x[start : start + 8], y[start : start + 8])
            by_hand.step(stepped.parameters, grads)
    assert bits(trained.parameters) == bits(stepped.parameters)
    assert opt.iteration == by_hand.iteration == 6
    for name in stepped.parameters:
        assert bits(opt.state[name]) == bits(by_hand.state[name])


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
    assert all(kind.checks.keys() >= set(kind.settings) for kind in optimizers.KINDS)
    checked = {name for kind in optimizers.KINDS for name in kind.checks}
    assert checked - {"iteration", "epoch"} == WRONG_LATER.keys()  # counts are no arguments


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


def test_a_second_fit_continues_epochs_state_and_order():
    opt = fn.SGD(0.3, momentum=0.8)
    twice = fit(fit(tiny_model(), epochs=2, optimizer=opt), epochs=1, optimizer=opt)
    once = fit(tiny_model(), epochs=3)
    assert bits(twice.parameters) == bits(once.parameters)
    assert [epoch["epoch"] for epoch in twice.history.epochs] == [1, 2, 3]
    assert opt.iteration == 9
    assert bits(fit(fit(tiny_model(), epochs=2)).parameters) != bits(once.parameters), "the velocity did not matter"


def test_state_can_be_assigned_to_continue_elsewhere():
    opt = fn.SGD(0.3, momentum=0.8)
    first = fit(tiny_model(), epochs=2, optimizer=opt)
    second, other = tiny_model(), fn.SGD(0.3, momentum=0.8)
    second.set_parameters(first.parameters)
    second.epoch = first.epoch
    other.state = {name: {part: value.copy() for part, value in parts.items()} for name, parts in opt.state.items()}
    assert bits(fit(second, optimizer=other).parameters) == bits(fit(first, optimizer=opt).parameters)


def test_assigned_state_replaces_what_was_laid_out():
    opt = fn.SGD(0.3, momentum=0.8)
    model = fit(tiny_model(), optimizer=opt)
    opt.state["dense.b"]["velocity"] = np.full(5, 100.0)
    assert np.abs(fit(model, optimizer=opt).parameters["dense.b"]).min() > 10
    opt.state = {}
    fresh = tiny_model()
    fresh.set_parameters(model.parameters)
    fresh.epoch = model.epoch
    assert bits(fit(model, optimizer=opt).parameters) == bits(fit(fresh).parameters)


def test_a_copied_optimizer_goes_its_own_way():
    opt = fn.SGD(0.3, momentum=0.8)
    model = fit(tiny_model(), optimizer=opt)
    copied, copied_opt = copy.deepcopy(model), copy.deepcopy(opt)
    before = bits(opt.state["dense.w"])
    fit(copied, optimizer=copied_opt)
    assert bits(opt.state["dense.w"]) == before
    assert bits(fit(model, optimizer=opt).parameters) == bits(copied.parameters)


def test_lr_and_momentum_may_change_between_steps():
    opt = fn.SGD(0.3, momentum=0.8)
    w, v, total = np.ones(3), np.zeros(3), np.ones(3)
    for opt.lr, opt.momentum in [(0.3, 0.8), (0.1, 0.5), (0.1, 0.0)]:
        opt.step({"w": w}, {"w": np.ones(3)})
        v = opt.momentum * v - opt.lr
        total = total + v
    np.testing.assert_allclose(w, total, rtol=1e-14)


def test_denormal_state_becomes_zero():
    opt = fn.SGD(0.1, momentum=0.5)
    w = {"w": np.zeros(3, np.float32)}
    opt.state = {"w": {"velocity": np.array([1e-30, 4e-30, -1e-31], np.float32)}}
    opt.step(w, {"w": np.zeros(3, np.float32)})
    assert (opt.state["w"]["velocity"] == np.array([0, 2e-30, 0], np.float32)).all()


@pytest.mark.parametrize(
    ("params", "grads", "state", "error", "message"),
    [
        ({"w": np.ones(3)}, {}, {}, KeyError, "w"),
        ({"w": np.ones(3)}, {"w": np.ones(4)}, {}, fn.ShapeError, r"gradient of w has shape \(4,\), expected \(3,\)"),
        ({"w": [1.0]}, {"w": [1.0]}, {}, TypeError, "w is a list"),
        ({"w": np.ones(3, int)}, {"w": np.ones(3)}, {}, TypeError, "w is a int64 array"),
        ({"w": np.broadcast_to(1.0, 3)}, {"w": np.ones(3)}, {}, TypeError, "w is a read-only float64 array"),
        (
            {"w": np.ones(3)},
            {"w": np.ones(3)},
            {"w": {"velocity": np.ones(2)}},
            fn.ShapeError,
            r"w/velocity has shape \(2,\)",
        ),
    ],
)
def test_what_does_not_fit_changes_nothing(params, grads, state, error, message):
    opt = fn.SGD(0.1, momentum=0.9)
    opt.state = state
    good = np.ones(2)
    with pytest.raises(error, match=message):
        opt.step({"good": good, **params}, {"good": np.ones(2), **grads})
    assert (good == 1).all()
    assert opt.iteration == 0
    assert "good" not in opt.state


def test_state_of_another_shape_is_refused_and_kept():
    opt = fn.SGD(0.1, momentum=0.9)
    opt.state = {"dense.w": {"velocity": np.ones(2)}}
    with pytest.raises(fn.ShapeError, match=r"optimizer state dense.w/velocity has shape \(2,\), expected \(9, 5\)"):
        fit(tiny_model(), optimizer=opt)
    assert list(opt.state) == ["dense.w"]


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


def test_config_makes_an_equal_optimizer():
    opt = fn.SGD(0.2, momentum=0.5, nesterov=True)
    assert optimizers.from_config(opt.config()).config() == opt.config()
    assert repr(opt) == "SGD(lr=0.2, momentum=0.5, nesterov=True)"
    with pytest.raises(ValueError, match="did you mean sgd"):
        optimizers.from_config({"name": "sdg"})


def test_another_model_starts_without_velocity():
    opt = fn.SGD(0.3, momentum=0.8)
    fit(tiny_model(), optimizer=opt)
    got = fit(tiny_model(seed=1), optimizer=opt)
    want = fit(tiny_model(seed=1), optimizer=fn.SGD(0.3, momentum=0.8))
    assert bits(got.parameters) == bits(want.parameters)


@pytest.mark.parametrize("optimizer", [fn.SGD, fn.AdaGrad])
def test_untouched_rows_are_left_alone_and_the_others_move_alike(optimizer):
    x, y = trigrams(40)
    sparse = fit(tiny_model(words=50), optimizer=optimizer(0.3), epochs=3)
    penalised = tiny_model(words=50, l2=1e-30)  # too small to change a bit, but every row takes part
    fit(penalised, optimizer=optimizer(0.3), epochs=3)
    assert bits(sparse.parameters) == bits(penalised.parameters)
    untouched = np.setdiff1d(np.arange(50), x)
    assert len(untouched) > 30
    start = tiny_model(words=50).parameters["embedding.w"]
    assert np.array_equal(sparse.parameters["embedding.w"][untouched], start[untouched])
    _, gradients = sparse.loss_and_gradients(x, y)
    assert not gradients["embedding.w"][untouched].any()


@pytest.mark.parametrize("bounds", [{"clip_norm": 0.05}, {"clip_value": 0.01}, {"clip_norm": 0.03, "clip_value": 0.01}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_by_hand_clips_with_the_bits_of_fit(bounds, dtype):
    x, y = trigrams(50)
    trained, stepped = tiny_model(dtype=dtype, hidden=37), tiny_model(dtype=dtype, hidden=37)
    trained.fit(
        x, y, optimizer=fn.SGD(0.5, momentum=0.9, **bounds), batch_size=50, epochs=3, shuffle=False, verbose=False
    )
    by_hand = fn.SGD(0.5, momentum=0.9, **bounds)
    for _ in range(3):
        by_hand.step(stepped.parameters, stepped.loss_and_gradients(x, y)[1])
    for name, w in trained.parameters.items():
        np.testing.assert_array_equal(stepped.parameters[name], w, err_msg=name)


def test_arrays_of_both_dtypes_are_clipped_by_one_norm():
    params = {"a": np.zeros(3, np.float32), "b": np.zeros((2, 2))}
    grads = {"a": np.full(3, 2.0, np.float32), "b": np.full((2, 2), 1.0)}
    fn.SGD(1.0, clip_norm=1.0).step(params, grads)
    np.testing.assert_allclose(params["a"], np.full(3, -2 / 4), rtol=1e-6)  # ‖g‖ = √(3·4 + 4·1) = 4
    np.testing.assert_allclose(params["b"], np.full((2, 2), -1 / 4), rtol=1e-12)


class Rates(fn.Callback):
    """Keeps the learning rate of each step."""

    every = 1

    def __init__(self):
        self.seen = []

    def on_batch_begin(self, run):
        self.seen.append(run.optimizer.current_lr)


def rates(model, opt, epochs=2):
    """The learning rate of each of the three steps of an epoch."""
    watching = Rates()
    fit(model, optimizer=opt, epochs=epochs, callbacks=[watching])
    return watching.seen


@pytest.mark.parametrize("make", [fn.SGD, fn.Adam, fn.AdaGrad, lambda lr: fn.Adam(lr, state_dtype="bfloat16")])
def test_given_to_another_model_it_starts_anew_there(make):
    """State, iteration and both kinds of schedules."""
    for schedule in (fn.CosineDecay(0.1, steps=9), fn.ExponentialDecay(0.1, 0.5)):
        opt = make(schedule)
        first, want = tiny_model(), tiny_model(seed=1)
        begun = rates(first, opt)
        assert rates(tiny_model(seed=1), opt) == begun
        assert (opt.iteration, opt.epoch) == (6, 2)
        again = fit(tiny_model(seed=1), optimizer=opt, epochs=2)
        assert bits(again.parameters) == bits(fit(want, optimizer=make(schedule), epochs=2).parameters)


def test_given_back_it_starts_anew_once_more():
    opt = fn.Adam(fn.CosineDecay(0.1, steps=9))
    first = fit(tiny_model(), optimizer=opt)
    fit(tiny_model(seed=1), optimizer=opt)
    fresh = copy.deepcopy(first)
    fit(first, optimizer=opt)
    assert opt.iteration == 3
    assert bits(first.parameters) == bits(fit(fresh, optimizer=fn.Adam(fn.CosineDecay(0.1, steps=9))).parameters)


def test_a_copy_takes_its_state_and_its_counts_to_another_model():
    opt = fn.Adam(fn.CosineDecay(0.1, steps=9))
    first = fit(tiny_model(), optimizer=opt)
    other, copied = copy.deepcopy(first), copy.deepcopy(opt)
    fit(other, optimizer=copied)
    assert (copied.iteration, copied.epoch) == (6, 2)
    assert bits(other.parameters) == bits(fit(first, optimizer=opt).parameters)


def test_state_that_was_assigned_for_another_model_comes_with_its_count():
    first, second = tiny_model(), tiny_model()
    opt, want = fn.Adam(0.1), fn.Adam(0.1)
    fit(second, optimizer=want)
    fit(first, optimizer=opt, epochs=2)
    opt.state = {name: {part: value.copy() for part, value in parts.items()} for name, parts in want.state.items()}
    opt.iteration = want.iteration
    copied = copy.deepcopy(second)
    assert bits(fit(copied, optimizer=opt).parameters) == bits(fit(second, optimizer=want).parameters)


@pytest.mark.parametrize(
    "schedule", [fn.ExponentialDecay(0.1, 0.5), fn.ExponentialDecay(0.1, 0.5, "step"), fn.CosineDecay(0.1, steps=9)]
)
def test_a_schedule_counts_from_where_its_optimizer_began(schedule, tmp_path):
    """Whether it goes by epochs or by steps; the same optimizer goes on, and so does a training that is resumed."""
    opt = fn.SGD(schedule)
    model = tiny_model()
    begun, path = rates(model, opt), tmp_path / "c.h5"
    assert rates(copy.deepcopy(model), fn.SGD(schedule)) == begun, "a new optimizer for a model that has trained"
    model.save(tmp_path / "m.h5")
    loaded = fn.load(tmp_path / "m.h5")
    assert loaded.epoch == 2
    assert rates(loaded, fn.SGD(schedule)) == begun, "a new optimizer for a model that was loaded"
    whole = begun + rates(model, opt)
    assert whole == rates(tiny_model(), fn.SGD(schedule), epochs=4), "the same optimizer"
    fit(tiny_model(), optimizer=fn.SGD(schedule), epochs=2, callbacks=[fn.Checkpoint(path)])
    watching = Rates()
    fit(tiny_model(), optimizer=fn.SGD(schedule), epochs=4, callbacks=[watching, fn.Checkpoint(path, resume=True)])
    assert watching.seen == whole[6:], "resumed"


@pytest.mark.parametrize(("lr", "error"), [(-1, ValueError), (float("nan"), ValueError), ("fast", TypeError)])
def test_an_assigned_rate_is_checked(lr, error):
    optimizer = fn.Adam(0.5)
    with pytest.raises(error, match="Adam: lr is"):
        optimizer.lr = lr
    assert optimizer.lr == 0.5
    optimizer.lr = np.float32(0.25)
    assert type(optimizer.lr) is float
