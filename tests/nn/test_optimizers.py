"""Steps of an optimizer on arrays of any layout, against the formula, and inside a step."""

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


WRONG_STATE = {
    "another name": (
        {"dense.w": {"m": np.ones((9, 5))}, "dens.b": {"m": np.ones(5)}},
        ValueError,
        r"optimizer state is of 'dens.b', which is no parameter of this model .*; did you mean dense.b",
    ),
    "another kind": (
        {"dense.b": {"m": np.ones(5), "velocity": np.ones(5)}},
        ValueError,
        "optimizer state dense.b/velocity: there is no state array 'velocity'; expected m and v",
    ),
    "no numbers": ({"dense.b": {"m": np.ones(5) * 1j}}, TypeError, "optimizer state dense.b/m has dtype complex128"),
    "ragged": ({"dense.b": {"m": [[1], [1, 2]]}}, fn.ShapeError, "optimizer state dense.b/m is no array"),
}


@pytest.mark.parametrize("case", WRONG_STATE)
@pytest.mark.parametrize("state_dtype", [None, "bfloat16"])
def test_assigned_state_that_has_no_place_is_refused_and_kept(case, state_dtype):
    given, error, message = WRONG_STATE[case]
    opt, model = fn.Adam(0.1, state_dtype=state_dtype), tiny_model()
    opt.state, before = given, bits(model.parameters)
    with pytest.raises(error, match=message):
        fit(model, optimizer=opt)
    assert opt.state == given
    assert bits(model.parameters) == before
    if case != "another name":  # an own loop may step other arrays with the same optimizer
        with pytest.raises(error, match=message):
            opt.step({name: w.copy() for name, w in model.parameters.items()}, model.parameters)


def test_a_state_array_of_another_kind_is_refused_where_state_was_laid_out():
    opt = fn.SGD(0.1, momentum=0.9)
    model = fit(tiny_model(), optimizer=opt)
    opt.state["dense.b"]["Velocity"] = np.ones(5)
    with pytest.raises(ValueError, match=r"dense.b/Velocity: there is no state array 'Velocity'; expected velocity$"):
        fit(model, optimizer=opt)
    plain = fn.SGD(0.1)
    plain.state = {"dense.b": {"velocity": np.ones(5)}}
    with pytest.raises(ValueError, match="this optimizer keeps no state, expected none"):
        fit(model, optimizer=plain)


def test_state_that_is_refused_leaves_the_counts():
    opt = fn.SGD(0.1, momentum=0.9)
    fit(tiny_model(), optimizer=opt)
    opt.state["gone"] = {"velocity": np.ones(2)}
    with pytest.raises(ValueError, match="'gone', which is no parameter"):
        fit(tiny_model(), optimizer=opt)
    assert (opt.iteration, opt.epoch) == (3, 1)
    copied = copy.deepcopy(fn.SGD(0.1))
    copied.state = {"gone": {}}  # as an optimizer without state has: nothing is lost
    fit(tiny_model(), optimizer=copied)


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


@pytest.mark.parametrize("optimizer", [lambda: fn.SGD(0.3, momentum=0.8), lambda: fn.Adam(0.1)])
def test_layers_are_asked_by_a_step_on_a_batch_not_by_one_on_arrays(optimizer):
    """As the docstring of `step` says: of a sparse table it moves all rows, and it applies no max_norm."""
    table, dense = fn.Embedding(30, 3, sparse=True), fn.Dense(30, max_norm=0.5)
    fitted, stepped = (fn.Sequential([table, fn.Flatten(), dense], input_shape=3, seed=1) for _ in range(2))
    x, y = trigrams(24, words=30)
    fitted.fit(x, y, optimizer=optimizer(), batch_size=8, shuffle=False, verbose=False)
    own = optimizer()
    for start in (0, 8, 16):
        stepped.train_on_batch(x[start : start + 8], y[start : start + 8], optimizer=own)
    assert bits(stepped.parameters) == bits(fitted.parameters)
    before, (_, gradients) = np.array(stepped.parameters["embedding.w"]), stepped.loss_and_gradients(x[16:], y[16:])
    absent = np.setdiff1d(x[:16], x[16:])
    assert absent.size
    assert not gradients["embedding.w"][absent].any()
    own.step(stepped.parameters, gradients)
    assert (stepped.parameters["embedding.w"][absent] != before[absent]).all()
    assert np.linalg.norm(stepped.parameters["dense.w"], axis=0).max() > 0.5 + 1e-3


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
