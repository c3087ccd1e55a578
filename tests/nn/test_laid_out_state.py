"""State that lies as the parameters do: whose it is, and what users have put in its place."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.engine.parameters import NamedArrays
from fastnn.nn.optimizers.laid_out import LaidOut

F32 = np.dtype(np.float32)
SHAPES = {"w": (3, 5), "b": (5,)}


def laid_out(parameters, given=None):
    return LaidOut.of(parameters, F32, ("m", "v"), 0.25, given or {})


def test_state_begins_at_its_initial_value_or_at_what_was_given():
    parameters, m = NamedArrays(SHAPES, F32), np.arange(15.0).reshape(3, 5)
    state = laid_out(parameters, {"w": {"m": m}}).by_name()
    assert {name: list(parts) for name, parts in state.items()} == {"w": ["m", "v"], "b": ["m", "v"]}
    np.testing.assert_array_equal(state["w"]["m"], m)
    assert (state["w"]["v"] == 0.25).all()
    assert state["b"]["m"].dtype == F32


def test_given_state_of_another_shape_is_refused():
    with pytest.raises(fn.ShapeError, match=r"optimizer state w/m has shape \(5, 3\), expected \(3, 5\)"):
        laid_out(NamedArrays(SHAPES, F32), {"w": {"m": np.zeros((5, 3))}})


def test_it_knows_whose_it_is_and_of_which_dtype():
    parameters = NamedArrays(SHAPES, F32)
    assert laid_out(parameters).is_of(parameters, F32)
    assert not laid_out(parameters).is_of(NamedArrays(SHAPES, F32), F32)
    assert not laid_out(parameters).is_of(parameters, np.dtype(np.uint16))
    assert not LaidOut().is_of(parameters, F32)


def test_it_is_untouched_until_an_array_is_replaced():
    made = laid_out(NamedArrays(SHAPES, F32))
    state = made.by_name()
    state["w"]["m"][...] = 3  # in place: these are still its arrays
    assert made.is_untouched(state)
    state["w"]["m"] = state["w"]["m"][:]
    assert not made.is_untouched(state)
    assert made.holds("w", state["w"])  # another object, the same memory
    state["w"]["m"] = state["w"]["m"].copy()
    assert not made.holds("w", state["w"])
    assert made.holds("b", state["b"])
    assert not made.is_untouched({"w": made.by_name()["w"]})
    assert not made.holds("c", {})
