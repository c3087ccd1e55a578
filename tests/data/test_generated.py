"""Generated data: the same at every call, marked as generated, neither trivial nor impossible to learn."""

import hashlib

import numpy as np
import pytest

from fastnn.common.errors import DataError
from fastnn.data import (
    generate_blobs,
    generate_cats_vs_cars,
    generate_cifar10,
    generate_digits,
    generate_letters,
    generate_moons,
)
from fastnn.data.formats import cifar
from fastnn.data.generated import glyphs, shapes, warp

IMAGES = {
    "digits": (lambda **sizes: generate_digits(**({"train": 3000, "test": 700} | sizes)), (28, 28), 10),
    "letters": (lambda **sizes: generate_letters(**({"train": 3000, "val": 5, "test": 700} | sizes)), (28, 28), 10),
    "cats": (lambda **sizes: generate_cats_vs_cars(**({"train": 1900, "test": 1000} | sizes)), (32, 32), 2),
    "cifar10": (lambda **sizes: generate_cifar10(**({"train": 2500, "test": 500} | sizes)), (32, 32, 3), 10),
}


def digest(data):
    return hashlib.sha256(b"".join(s.x.tobytes() + s.y.tobytes() for s in data.splits().values())).hexdigest()


@pytest.fixture(scope="module", params=IMAGES.values(), ids=list(IMAGES))
def made(request):
    generate, shape, classes = request.param
    return generate, generate(), shape, classes


def test_layout(made):
    _, data, shape, classes = made
    for split in data.splits().values():
        assert split.x.dtype == split.y.dtype == np.uint8
        assert split.x.shape == (len(split), *shape)
        assert split.x.flags.c_contiguous
    assert set(data.train.y) == set(range(classes))
    assert len(data.meta["classes"]) == classes
    assert data.meta["source"] == "generated"


def test_seeded_and_apart(made):
    generate, data, _, _ = made
    assert digest(generate()) == digest(data)
    assert digest(generate(seed=1)) != digest(data)
    other = generate(test=20)
    np.testing.assert_array_equal(other.train.x, data.train.x)
    assert not (data.train.x[:20] == data.test.x[:20]).all(axis=tuple(range(1, data.train.x.ndim))).any()
    with pytest.raises(DataError, match="test=0 images asked for"):
        generate(test=0)


@pytest.mark.parametrize("generate", [generate_digits, generate_cats_vs_cars, generate_cifar10])
def test_no_split_repeats_another(generate):
    data = generate(60, test=60)
    assert (data.train.x != data.test.x).any(axis=tuple(range(1, data.train.x.ndim))).all()


def test_variety(made):
    """No two images alike, all grey values used, most images with good contrast."""
    _, data, _, _ = made
    flat = data.train.x.reshape(len(data.train), -1)
    assert len(np.unique(flat, axis=0)) == len(flat)
    assert flat.min() == 0
    assert flat.max() == 255
    assert np.median(flat.std(axis=1)) > 25


def linear_accuracy(data, classes):
    """Test accuracy of ridge regression on one-hot labels: a linear model that needs no training loop.

    It sees a quarter of the pixels, which is as good and sixteen times as fast.
    """
    x, t = (split.x[:, ::2, ::2].reshape(len(split), -1) / 255.0 for split in (data.train, data.test))
    mean = x.mean(axis=0)
    x, t = x - mean, t - mean
    weights = np.linalg.solve(x.T @ x + 0.03 * len(x) * np.eye(x.shape[1]), x.T @ np.eye(classes)[data.train.y])
    scores = t @ weights + np.bincount(data.train.y, minlength=classes) / len(x)
    return (scores.argmax(axis=1) == data.test.y).mean()


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("digits", 0.7, 0.93), ("letters", 0.75, 0.95), ("cats", 0.58, 0.85), ("cifar10", 0.3, 0.6)],
)
def test_a_linear_model_learns_some_of_it(name, least, most):
    generate, _, classes = IMAGES[name]
    assert least < linear_accuracy(generate(), classes) < most


def test_digits_have_the_margin_of_mnist():
    """Light strokes on a dark background, in the middle: the border is almost black."""
    x = generate_digits(2000, 1).train.x.astype(float)
    assert 15 < x.mean() < 50
    border = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], axis=1)
    assert border.mean() < 8
    assert x[:, 10:18, 10:18].mean() > 60


def test_some_letters_are_dark_on_light():
    x = generate_letters(3000, 1, 1).train.x
    share = (np.median(x.reshape(len(x), -1), axis=1) > 128).mean()
    assert 0.02 < share < 0.08


def test_originals_fill_their_squares_and_keep_their_borders_empty():
    for drawn in (glyphs.originals("0123456789"), shapes._grey_originals(), shapes._shape_originals()):
        assert (drawn.max(axis=(1, 2)) > 200).all()
        for edge in (drawn[:, 0], drawn[:, -1], drawn[:, :, 0], drawn[:, :, -1]):
            assert not edge.any()
    heights = [np.flatnonzero(one.max(axis=1) > 127) for one in glyphs.originals("0123456789")]
    sizes = [rows[-1] - rows[0] + 1 for rows in heights]
    assert min(sizes) > 0.85 * glyphs.HEIGHT
    assert max(sizes) < 1.1 * glyphs.HEIGHT


def test_an_older_matplotlib_has_another_italic(monkeypatch):
    there = [name for name in glyphs.os.listdir(glyphs.typefaces()) if name != "cmti10.ttf"]
    monkeypatch.setattr(glyphs.os, "listdir", lambda folder: there)
    drawn = dict(zip(glyphs.FACES, glyphs.originals.__wrapped__("7"), strict=True))
    np.testing.assert_array_equal(drawn["cmti10"], drawn["STIXGeneralItalic"])
    monkeypatch.setattr(glyphs.os, "listdir", lambda folder: [])
    monkeypatch.setattr(glyphs, "STAND_INS", dict.fromkeys(glyphs.FACES, "none"))
    with pytest.raises(DataError, match="this matplotlib lacks one of its typefaces"):
        glyphs.originals.__wrapped__("7")


def test_views_place_and_turn():
    """A drawing with one bright quarter, seen unchanged, moved, turned by a quarter, and at half its size."""
    picture = np.zeros((1, 64, 64), np.uint8)
    picture[0, 4:32, 4:32] = 255

    def seen(matrix, shift=(0, 0)):
        views = warp.Views(
            np.zeros(1, np.int64),
            np.array([matrix], np.float32),
            np.array([shift], np.float32),
            np.zeros((1, 3), np.float32),
        )
        ((_, image),) = warp.look(picture, views, 16)
        return image[0] > 0

    want = np.zeros((16, 16), bool)
    want[1:8, 1:8] = True
    np.testing.assert_array_equal(seen([[1, 0], [0, 1]]), want)
    np.testing.assert_array_equal(seen([[1, 0], [0, 1]], (-0.5, 0)), np.roll(want, 4, axis=1))
    np.testing.assert_array_equal(seen([[0, 1], [-1, 0]]), np.rot90(want, -1))
    small = np.zeros((16, 16), bool)
    small[4:8, 4:8] = True
    assert seen([[2, 0], [0, 2]]).sum() == pytest.approx(small.sum(), abs=8)


def test_images_do_not_depend_on_the_size_of_chunks(monkeypatch):
    want = digest(generate_digits(500, 20))
    monkeypatch.setattr(warp, "CHUNK", 77)
    assert digest(generate_digits(500, 20)) == want


def test_sorted_by_class_as_in_the_file():
    data = generate_cats_vs_cars()
    for split in data.splits().values():
        assert (np.diff(split.y.astype(int)) >= 0).all()
        assert np.bincount(split.y).tolist() == [len(split) // 2] * 2
    with pytest.raises(DataError, match="train=7 images asked for, expected an even number"):
        generate_cats_vs_cars(7)


def test_generated_shapes_do_not_claim_to_be_the_classes_of_cifar10():
    assert not set(generate_cifar10(10, 10).meta["classes"]) & set(cifar.CLASSES)


def test_moons():
    data = generate_moons(2000, noise=0.0)
    upper, lower = data.train.x[data.train.y == 0], data.train.x[data.train.y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1)
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= 0.5
    assert len(upper) == len(lower)
    noisy = generate_moons(2000)
    assert np.std(noisy.train.x - data.train.x) == pytest.approx(0.2, rel=0.05)
    assert noisy.val is noisy.test is None
    assert digest(generate_moons()) == digest(generate_moons()) != digest(generate_moons(seed=1))


def test_blobs():
    data = generate_blobs(3000, clusters=3, deviation=0.5)
    assert np.bincount(data.train.y).tolist() == [1000] * 3
    for cluster, centre in enumerate(data.meta["centres"]):
        points = data.train.x[data.train.y == cluster]
        np.testing.assert_allclose(points.mean(axis=0), centre, atol=0.08)
        assert points.std() == pytest.approx(np.hypot(0.5, (points.mean(axis=0) - points.mean()).std()), rel=0.05)
    assert digest(generate_blobs()) != digest(generate_blobs(seed=1))


def test_a_line_is_wrong_on_most_of_the_hard_points_of_two_blobs():
    """They lie beyond the border of the others, those of the clusters in turn."""
    data = generate_blobs()
    x, y = data.train.x, data.train.y
    normal = data.meta["centres"][0] / np.linalg.norm(data.meta["centres"][0])
    depth, along = (1 - 2.0 * y) * (x @ normal), x @ [-normal[1], normal[0]]
    assert (depth[:8] < 0).all()
    assert (depth[8:] > 0.4).all()
    assert (np.diff(along[:8]) > 0).all(), "clusters alternate in y, so these do along the border"
    assert 3 <= least_errors_of_a_line(x, y) <= 8
    assert (generate_blobs(hard=0).train.x @ normal * (1 - 2.0 * y) > 0).all()
    assert len(generate_blobs(2).train) == 2, "too few points for hard ones"


def least_errors_of_a_line(x, y):
    """The fewest points on the wrong side of any of 180 directions' best line."""
    best = len(x)
    for angle in np.linspace(0, np.pi, 180, endpoint=False):
        classes = y[np.argsort(x @ [np.cos(angle), np.sin(angle)])].astype(int)
        below = np.concatenate([[0], np.cumsum(classes)])  # of class 1 among the first i points
        wrong = below + (len(x) - classes.sum() - (np.arange(len(x) + 1) - below))
        best = min(best, wrong.min(), len(x) - wrong.max())
    return best


def test_cats_and_cars_have_the_greys_of_the_photographs():
    """As dark and as rich in contrast: on lighter pictures, wide layers of tanh units get stuck."""
    x = generate_cats_vs_cars(600, 2).train.x / 255
    assert 0.25 < x.mean() < 0.47
    assert 0.2 < x.std() < 0.3


@pytest.mark.parametrize(
    ("generate", "said"),
    [
        (lambda: generate_moons(1), "count=1 points"),
        (lambda: generate_moons(noise=-1), "deviation of -1"),
        (lambda: generate_moons(noise=np.nan), "deviation of nan"),
        (lambda: generate_blobs(2, clusters=3), "count=2 points"),
        (lambda: generate_blobs(clusters=0), "clusters=0"),
        (lambda: generate_blobs(hard=-1), "hard=-1 points"),
    ],
)
def test_bad_points(generate, said):
    with pytest.raises(DataError, match=said):
        generate()
