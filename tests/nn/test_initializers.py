"""Initial values: their distributions, and that a draw depends on seed and name alone."""

import math
import tracemalloc

import numpy as np
import pytest

import fastnn as fn
from fastnn.common import random
from fastnn.nn import initializers
from fastnn.nn.initializers import Normal, Orthogonal, TruncatedNormal, Uniform, Zeros, base

SHAPE = (120, 200)
DRAWS = SHAPE[0] * SHAPE[1]
KEY_0, KEY_1 = 0xCEBD8FB405F4E697, 0x10CA4A277071732F


def draw(spec, shape=SHAPE):
    return initializers.get(spec).sample(random.generator(0, "test"), shape)


@pytest.mark.parametrize(
    ("spec", "std"),
    [
        ("normal", 0.01),
        (Normal(0.5), 0.5),
        ("uniform", 0.05 / math.sqrt(3)),
        (Uniform(2.0), 2 / math.sqrt(3)),
        ("truncated_normal", 0.01 * 0.87962566),  # of a normal cut at ±2
        (TruncatedNormal(0.5), 0.5 * 0.87962566),
        ("glorot_normal", math.sqrt(2 / 320)),
        ("glorot_uniform", math.sqrt(2 / 320)),
        ("he_normal", math.sqrt(2 / 120)),
        ("he_uniform", math.sqrt(2 / 120)),
    ],
)
def test_mean_and_deviation(spec, std):
    values = draw(spec)
    assert values.shape == SHAPE
    assert values.dtype == np.float64
    assert abs(values.mean()) < 4 * std / math.sqrt(DRAWS)
    assert abs(values.std() / std - 1) < 4 / math.sqrt(2 * DRAWS)


@pytest.mark.parametrize(
    ("spec", "limit"),
    [
        ("uniform", 0.05),
        ("glorot_uniform", math.sqrt(6 / 320)),
        ("he_uniform", math.sqrt(6 / 120)),
        ("truncated_normal", 0.02),
    ],
)
def test_limits_are_kept_and_reached(spec, limit):
    largest = np.abs(draw(spec)).max()
    assert 0.99 * limit < largest <= limit


def test_fans_count_leading_extents():
    std = draw("he_normal", (5, 5, 4, 100)).std()
    assert abs(std / math.sqrt(2 / 100) - 1) < 0.05


def test_zeros():
    assert not draw("zeros").any()
    assert initializers.get("zeros") == Zeros()


def test_xavier_is_glorot_uniform():
    assert initializers.get("xavier") == initializers.get("glorot_uniform")


@pytest.mark.parametrize("spec", list(initializers.INITIALIZERS))
def test_every_initialiser_serves_biases_too(spec):
    values = draw(spec, (7,))
    assert values.shape == (7,)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("spec", list(initializers.INITIALIZERS))
@pytest.mark.parametrize("shape", [(), (37,), (11, 7), (3, 2, 5), (0, 4)])
def test_numbers_drawn_block_by_block_are_those_drawn_at_once(spec, shape, monkeypatch):
    at_once = draw(spec, shape)
    monkeypatch.setattr(base, "BLOCK", 10)
    assert np.array_equal(draw(spec, shape), at_once)
    transposed = np.zeros(shape[::-1], np.float32).T[...]
    initializers.get(spec).fill(random.generator(0, "test"), transposed)
    assert np.array_equal(transposed, at_once.astype(np.float32))


def test_truncated_numbers_are_drawn_again_after_all_others(monkeypatch):
    """What is beyond two deviations is replaced in the order of the places, until nothing is."""
    monkeypatch.setattr(base, "BLOCK", 10)
    rng = random.generator(0, "test")
    want = rng.normal(0.0, 1.0, (60, 50))
    while (far := np.abs(want) > 2).any():
        want[far] = rng.normal(0.0, 1.0, far.sum())
    assert np.array_equal(draw("truncated_normal", (60, 50)), 0.01 * want)


@pytest.mark.parametrize("shape", [(7, 7), (5, 20), (20, 5), (3, 3, 2, 8), (1, 4), (4, 1)])
def test_the_shorter_side_of_an_orthogonal_matrix_is_orthonormal(shape):
    values = draw(Orthogonal(3.0), shape).reshape(-1, shape[-1])
    short = values if len(values) <= shape[-1] else values.T
    np.testing.assert_allclose(short @ short.T, 9 * np.eye(len(short)), atol=1e-13)


def test_an_orthogonal_matrix_may_be_any():
    """Without the signs of R's diagonal, LAPACK's first column would be on one side of a plane: mean −.5."""
    corners = [Orthogonal().sample(random.generator(seed, "test"), (3, 3))[0, 0] for seed in range(400)]
    assert abs(np.mean(corners)) < 4 / math.sqrt(3 * 400)  # the variance of a coordinate of a point on the sphere


@pytest.mark.parametrize("gain", [-1, math.nan, math.inf])
def test_an_orthogonal_matrix_with_no_length(gain):
    with pytest.raises(ValueError, match="Orthogonal: gain is"):
        Orthogonal(gain)


def test_a_large_vocabulary_is_drawn_without_a_copy_in_float64():
    words, width = 20_000, 64
    tracemalloc.start()
    try:
        layers = [fn.Embedding(words, width), fn.Flatten(), fn.Dense(width), fn.SampledSoftmax(words)]
        large = fn.Sequential(layers, input_shape=(1,))
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert large.parameters.nbytes > 8 * words * width, "two tables, which float32 takes 4 bytes a number for"
    assert peak - now < 2 * words * width


def test_unknown_names_and_types():
    with pytest.raises(ValueError, match="did you mean he_normal"):
        initializers.get("he_norml")
    with pytest.raises(TypeError, match=r"got 0\.1"):
        initializers.get(0.1)


def model(*stack, seed=0, dtype="float64"):
    return fn.Sequential(stack, input_shape=(4,), seed=seed, dtype=dtype)


def test_a_draw_depends_on_seed_and_name_alone():
    short = model(fn.Dense(6), fn.Dense(3)).parameters
    longer = model(fn.Dense(6), fn.Activation("relu"), fn.Dense(3), fn.Dense(2)).parameters
    assert np.array_equal(short["dense.w"], longer["dense.w"])
    assert np.array_equal(short["dense_1.w"], longer["dense_1.w"])
    assert not np.array_equal(short["dense.w"], model(fn.Dense(6), seed=1).parameters["dense.w"])
    alike = model(fn.Dense(4), fn.Dense(4)).parameters
    assert not np.array_equal(alike["dense.w"], alike["dense_1.w"])


def test_drawn_in_float64_and_cast():
    wide, narrow = (model(fn.Dense(6), dtype=dtype).parameters["dense.w"] for dtype in ("float64", "float32"))
    assert narrow.dtype == np.float32
    assert np.array_equal(wide.astype(np.float32), narrow)


def test_keys_are_the_same_on_every_machine():
    assert random.key(0, "order", 3, words=2).tolist() == [KEY_0, KEY_1]
    assert random.key(0, "order", 3).tolist()[:2] == [KEY_0, KEY_1]
    assert random.key(0, "order", 4, words=2).tolist() != [KEY_0, KEY_1]


def test_labels_of_a_key_do_not_run_together():
    assert random.key(0, "ab", "c").tolist() != random.key(0, "a", "bc").tolist()
    assert random.key(1, 1).tolist() != random.key(11).tolist()


@pytest.mark.parametrize("name", ["he", "glorot"])
def test_normal_and_uniform_numbers_of_one_deviation(name):
    """Uniform ones end at √3 deviations, beyond which 8 % of the normal ones lie."""
    limit = math.sqrt(3) * draw(f"{name}_normal").std()
    assert (np.abs(draw(f"{name}_uniform")) < 1.02 * limit).all()
    assert (np.abs(draw(f"{name}_normal")) > limit).mean() == pytest.approx(0.0833, abs=0.01)
