"""The proof of same bits in small, and that it finds rows that depend on their batch."""

import pytest

import fastnn as fn
from tests.proofs import same_bits
from tests.tiny import jit_only, two_threads


@jit_only
@two_threads
@pytest.mark.parametrize("name", same_bits.NETS)
def test_one_and_two_threads(name):
    found = []
    for count in (1, 2):
        with fn.threads(count):
            found.append(same_bits.trained(name, "momentum", 320, seed=0))
    assert found[0] == found[1]


@jit_only
@pytest.mark.parametrize("name", [name for name in same_bits.NETS if name != "stream"])
def test_rows_alone_and_in_batches(name):
    assert same_bits.different_rows(name, 300, (1, 7, 128, 299), seed=0) == []


def test_rows_that_depend_on_their_batch_are_found(monkeypatch):
    predict = fn.Sequential.predict
    monkeypatch.setattr(fn.Sequential, "predict", lambda model, x, **rest: predict(model, x, **rest) + len(x))
    assert same_bits.different_rows("narrow", 20, (20, 7), seed=0) == ["narrow: rows 0 to 7"]


def test_a_digest_is_of_names_order_and_bytes():
    first = same_bits.digest({"a": [1.0], "b": [2.0]})
    assert first == same_bits.digest({"b": [2.0], "a": [1.0]})
    assert first != same_bits.digest({"a": [2.0], "b": [1.0]})
