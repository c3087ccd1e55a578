"""Optimizers whose state is kept in bfloat16: the same bits however the work is done, and close to whole state."""

import copy
import pickle

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn import optimizers
from tests.tiny import StopAt, bits, fit, jit_only, tiny_model, trigrams, two_threads

MAKE = {
    "momentum": lambda **o: fn.SGD(0.3, momentum=0.8, **o),
    "nesterov": lambda **o: fn.SGD(0.3, momentum=0.8, nesterov=True, **o),
    "rmsprop": lambda **o: fn.RMSProp(0.01, **o),
    "adagrad": lambda **o: fn.AdaGrad(0.1, initial_accumulator_value=0.1, **o),
    "adam": lambda **o: fn.Adam(0.02, **o),
    "adamw": lambda **o: fn.AdamW(0.02, **o),
}
every_kind = pytest.mark.parametrize("kind", MAKE)


def rounding(kind, **options):
    return MAKE[kind](state_dtype="bfloat16", **options)


def left(model, opt):
    """All bits that a training leaves."""
    return bits(model.parameters), {name: bits(parts) for name, parts in opt.state.items()}


def train(kind, model=None, count=100, **settings):
    model, opt = model or tiny_model(), rounding(kind)
    fit(model, count, **{"optimizer": opt, "epochs": 2} | settings)
    return left(model, opt)


@every_kind
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_trains_like_whole_state(kind, dtype):
    losses, finals = [], []
    for opt in (MAKE[kind](), rounding(kind)):
        model = fit(tiny_model(dtype=dtype), 200, optimizer=opt, epochs=4)
        losses.append(np.array(model.history.steps["loss"]))
        finals.append(opt.state["dense.w"])
    assert losses[0][-1] < 0.95 * losses[0][0]
    # A step of either differs by some 2⁻⁸ of itself at random; 52 of them add up to no more than that of the way.
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)
    assert (losses[1] != losses[0]).any()
    for part, words in finals[1].items():
        assert words.dtype == np.uint16
        whole = finals[0][part]
        assert np.abs(fn.bfloat16.decoded(words) - whole).max() < 0.1 * np.abs(whole).max()


@jit_only
@two_threads
@every_kind
def test_threads_do_not_matter(kind):
    found = []
    for threads in (1, 2):
        with fn.threads(threads):
            found.append(train(kind, tiny_model(words=50, width=20, hidden=300), batch_size=64))
    assert found[0] == found[1]


@every_kind
def test_kept_gradients_or_the_table_s_rows_do_not_matter(kind):
    """Sums of squares are of rows that occur, or of all rows where a penalty takes part."""
    assert train(kind) == train(kind, callbacks=[fn.GradientNorms(1)])
    sparse, penalised = (train(kind, tiny_model(words=50, l2=l2)) for l2 in (0, 1e-30))
    assert sparse == penalised


@every_kind
def test_a_resumed_training_has_the_bits_of_a_whole_one(kind, tmp_path):
    whole = train(kind, epochs=3)
    parts = {"epochs": 3, "callbacks": [fn.Checkpoint(tmp_path / "c.h5", resume=True)]}
    with pytest.raises(KeyboardInterrupt):
        train(kind, **parts | {"callbacks": [*parts["callbacks"], StopAt(2, 3, KeyboardInterrupt())]})
    assert train(kind, **parts) == whole
    assert train(kind, model=tiny_model(seed=1), epochs=3) != whole


@pytest.mark.parametrize("first", [None, "bfloat16"])
def test_a_checkpoint_of_other_state_is_refused(tmp_path, first):
    path, second = tmp_path / "c.h5", None if first else "bfloat16"
    fit(tiny_model(), optimizer=fn.Adam(state_dtype=first), callbacks=[fn.Checkpoint(path)])
    message = "was trained with optimizer .*cannot resume"
    with pytest.raises(fn.FileFormatError, match=message) as caught:
        fit(tiny_model(), optimizer=fn.Adam(state_dtype=second), callbacks=[fn.Checkpoint(path, resume=True)])
    assert str(caught.value).count('"state_dtype": "bfloat16"') == 1


@every_kind
def test_a_step_by_hand_has_the_bits_of_fit_where_no_row_is_padded(kind):
    model = fn.Sequential([fn.Dense(16, "tanh"), fn.Dense(16)], input_shape=(16,), loss="mse")
    trained, opt, by_hand = copy.deepcopy(model), rounding(kind), rounding(kind)
    x, y = np.random.default_rng(0).normal(size=(2, 40, 16))
    trained.fit(x, y, optimizer=opt, batch_size=8, shuffle=False, verbose=False)
    for start in range(0, 40, 8):
        by_hand.step(model.parameters, model.loss_and_gradients(x[start : start + 8], y[start : start + 8])[1])
    assert left(model, by_hand) == left(trained, opt)


def test_by_hand_on_arrays_of_any_layout():
    opt = rounding("adam")
    rng = np.random.default_rng(0)
    params = {"f": np.asarray(rng.normal(size=(5, 4)), np.float32, order="F"), "s": rng.normal(size=(6, 6))[::2, ::2]}
    params |= {"scalar": np.array(1.5), "empty": np.zeros((0, 3))}
    before = {name: w.copy() for name, w in params.items()}
    for _ in range(3):
        opt.step(params, {name: np.ones_like(w) for name, w in params.items()})
    for name, w in params.items():
        np.testing.assert_allclose(w, before[name] - 3 * 0.02, rtol=0, atol=0.001)
        assert opt.state[name]["m"].dtype == np.uint16
        assert opt.state[name]["m"].shape == w.shape


def test_state_goes_from_one_kind_to_the_other():
    whole, rounded = fn.Adam(0.02), rounding("adam")
    model = fit(tiny_model(), optimizer=whole, epochs=2)
    rounded.state = {name: {part: a.copy() for part, a in parts.items()} for name, parts in whole.state.items()}
    rounded.attach(model.state.parameters)
    for name, parts in rounded.state.items():
        for part, words in parts.items():
            np.testing.assert_array_equal(words, fn.bfloat16.encoded(whole.state[name][part]))
    back = fn.Adam(0.02)
    back.state = {name: {part: a.copy() for part, a in parts.items()} for name, parts in rounded.state.items()}
    back.attach(model.state.parameters)
    for name, parts in back.state.items():
        for part, array in parts.items():
            np.testing.assert_array_equal(array, fn.bfloat16.decoded(rounded.state[name][part]))
    w = {"w": np.ones(3, np.float32)}
    back.state = {"w": {"m": np.full(3, 0x3F80, np.uint16), "v": np.ones(3)}}
    back.step(w, {"w": np.zeros(3)})
    np.testing.assert_allclose(back.state["w"]["m"], 0.9, rtol=1e-6)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda opt: pickle.loads(pickle.dumps(opt))])
def test_a_copy_goes_on_with_the_same_bits(again):
    opt = rounding("adam")
    model = fit(tiny_model(), optimizer=opt)
    other, other_opt = copy.deepcopy(model), again(opt)
    assert left(fit(other, optimizer=other_opt), other_opt) == left(fit(model, optimizer=opt), opt)


def test_state_that_overflows_is_found():
    """The square of a gradient is infinite: the weight would stand still, and nothing else would show it."""
    model = fn.Sequential([fn.Dense(1)], input_shape=(1,), loss=fn.MSE("sum"))
    model.set_parameters({"dense.w": np.zeros((1, 1)), "dense.b": np.zeros(1)})
    x, y = np.array([[1.0], [1e20]]), np.ones((2, 1))
    for opt in (fn.Adam(1e-3), rounding("adam")):
        with pytest.raises(fn.NonFiniteError, match=r"step 1 of 1 .*adam_update"):
            copy.deepcopy(model).fit(x, y, optimizer=opt, batch_size=2, verbose=False)


def test_padding_stays_zero():
    opt = rounding("adagrad")
    model = fit(tiny_model(), optimizer=opt, epochs=2)
    held = sum(array.size for array in model.parameters.values())
    assert np.count_nonzero(opt.flat_state()[0]) == held < opt.flat_state()[0].size


@pytest.mark.parametrize(
    ("dtype", "state_dtype", "start"),
    [("float64", None, 0.1), ("float32", None, np.float32(0.1)), ("float64", "bfloat16", 0x3DCD)],
)
def test_where_sums_start_is_rounded_as_state_is_kept(dtype, state_dtype, start):
    opt = fn.AdaGrad(0.1, initial_accumulator_value=0.1, state_dtype=state_dtype)
    opt.attach(tiny_model(dtype=dtype).state.parameters)
    assert (opt.state["dense.w"]["sum_square"] == start).all()


@every_kind
def test_settings(kind):
    opt = rounding(kind)
    assert optimizers.from_config(opt.config()).config() == opt.config()
    assert "state_dtype='bfloat16'" in repr(opt)
    assert "state_dtype" not in MAKE[kind]().config()
    for bad in ("float16", "bf16", 16, np.float32):
        with pytest.raises(ValueError, match=r"state_dtype is .*, expected None .* or 'bfloat16'"):
            MAKE[kind](state_dtype=bad)


def test_without_state_nothing_is_rounded():
    plain, asked = (fit(tiny_model(), optimizer=fn.SGD(0.3, state_dtype=d)) for d in (None, "bfloat16"))
    assert bits(plain.parameters) == bits(asked.parameters)


def test_a_kernel_without_such_a_version_is_named():
    class Own(fn.Adam):
        kernel = fn.kernels.sgd_update

    with pytest.raises(TypeError, match="sgd_update has no version with state in bfloat16"):
        fit(tiny_model(), optimizer=Own(state_dtype="bfloat16"))


def test_more_samples_of_uint16_than_floats_are_no_state():
    """Where training diverges, a user's numbers are not taken for state that is not finite."""
    x = np.full((20, 4), 0x7FC0, np.uint16)
    model = fn.Sequential([fn.Dense(2)], input_shape=(4,), loss="mse")
    with pytest.raises(fn.NonFiniteError, match=r"in (loss|dense|update)"):
        model.fit(x, np.full((20, 2), 1e30), optimizer=rounding("momentum"), epochs=9, batch_size=5, verbose=False)


def test_trigrams_are_learnt_as_well():
    """A longer training with Adam: after 20 epochs the loss is that of whole state, but for chance."""
    x, y = trigrams(400)
    finals = []
    for opt in (fn.Adam(0.01), fn.Adam(0.01, state_dtype="bfloat16")):
        model = tiny_model(hidden=16)
        model.fit(x, y, optimizer=opt, batch_size=40, epochs=20, verbose=False)
        finals.append(model.evaluate(x, y)["loss"])
    assert finals[1] == pytest.approx(finals[0], rel=0.05)
