"""The next token: temperature, top-k, top-p, and draws that follow the distribution."""

import numpy as np
import pytest

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.text.sampling import Sampling

P = np.array([0.1, 0.4, 0.05, 0.4, 0.05])


def of(**settings):
    return Sampling(**settings).distribution(np.log(P))


def test_the_distribution_is_the_model_s_own_unless_told_otherwise():
    np.testing.assert_allclose(of(), P, rtol=1e-12)
    np.testing.assert_allclose(Sampling().distribution(np.log(P) + 1000), P, rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.25, 0.5, 2.0])
def test_temperature_is_a_power(temperature):
    power = P ** (1 / temperature)
    np.testing.assert_allclose(of(temperature=temperature), power / power.sum(), rtol=1e-12)


def test_temperature_0_takes_the_likeliest_and_the_lowest_of_equals():
    np.testing.assert_array_equal(of(temperature=0), [0, 1, 0, 0, 0])


def test_tiny_temperatures_are_no_division_by_nothing():
    np.testing.assert_array_equal(of(temperature=1e-300), [0, 0.5, 0, 0.5, 0])


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"top_k": 1}, [1]),
        ({"top_k": 3}, [0, 1, 3]),
        ({"top_k": 4}, [0, 1, 2, 3]),
        ({"top_k": 99}, range(5)),
        ({"top_p": 0.3}, [1]),
        ({"top_p": 0.41}, [1, 3]),
        ({"top_p": 0.85}, [0, 1, 3]),
        ({"top_p": 1e-300}, [1]),
        ({"top_p": 1 - 1e-16}, range(5)),
        ({"top_k": 3, "top_p": 0.43}, [1]),  # of these three, .4 are .44
    ],
)
def test_only_the_likeliest_are_left(settings, kept):
    want = np.where(np.isin(range(5), kept), P, 0)
    np.testing.assert_allclose(of(**settings), want / want.sum(), rtol=1e-12)


def test_some_ids_are_never_drawn():
    found = Sampling(top_k=2).distribution(np.log(P), never=[1])
    np.testing.assert_allclose(found, [0.2, 0, 0, 0.8, 0], rtol=1e-12)
    with pytest.raises(DataError, match="no id can be drawn"):
        Sampling().distribution(np.log(P), never=range(5))


def test_scores_may_be_out_of_reach_of_exp():
    np.testing.assert_array_equal(Sampling().distribution([-1e6, -2e6, -np.inf]), [1, 0, 0])
    with pytest.raises(DataError, match="nan"):
        Sampling().distribution([0, np.nan])


def test_draws_follow_the_distribution_and_the_seed_alone():
    made = Sampling(top_k=4)
    rng, again = (random.generator(3, "generate") for _ in range(2))
    drawn = [made.draw(np.log(P), rng) for _ in range(20_000)]
    assert drawn[:100] == [made.draw(np.log(P), again) for _ in range(100)]
    found = np.bincount(drawn, minlength=5) / len(drawn)
    want = of(top_k=4)
    deviation = np.sqrt(want * (1 - want) / len(drawn))
    assert (np.abs(found - want) <= 4 * deviation).all()


def test_no_random_number_draws_what_has_no_probability():
    class Rng:
        def __init__(self, number):
            self.random = lambda: number

    never = {0, 4}
    for number in (0.0, 0.5, np.nextafter(1, 0)):
        assert Sampling().draw(np.log(P), Rng(number), never) not in never


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"temperature": -1}, ValueError),
        ({"temperature": float("inf")}, ValueError),
        ({"temperature": float("nan")}, ValueError),
        ({"temperature": "hot"}, TypeError),
        ({"top_k": 0}, ValueError),
        ({"top_k": 1.5}, TypeError),
        ({"top_p": 0}, ValueError),
        ({"top_p": 1.01}, ValueError),
        ({"top_p": float("nan")}, ValueError),
    ],
)
def test_bad_settings_are_named(settings, error):
    with pytest.raises(error, match=f"{next(iter(settings))} is"):
        Sampling(**settings)
