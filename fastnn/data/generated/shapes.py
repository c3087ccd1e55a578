"""Generated images, stand-ins for two sets of photographs: grey cats and cars, and ten coloured shapes."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.validation import any_whole_number
from fastnn.data.dataset import Dataset, Split
from fastnn.data.formats import cats_hdf5 as cats
from fastnn.data.generated import warp

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

SIDE = 32
MASTER = 128  # The side of the drawings in pixels: 4 of them make a pixel of the image.
VARIANTS = 60  # The number of different cats, and of different cars.
DARK = 0.25  # The fraction of the cats and cars that are darker than their background.
# Backgrounds differ from picture to picture (GROUND) and within one (CLOUDS, a deviation). Over all pixels mean and
# deviation are .33 and .24, those of the photographs .46 and .25. On lighter pictures with less contrast, the first
# steps drive 152 tanh units to their ends more often: with .4 to .6 and .1 in one training of two, with these in none
# of ten, on the photographs in one of ten.
GROUND = (0.05, 0.5)
CLOUDS = 0.2
SHAPES = ("disc", "ring", "square", "triangle", "cross", "star", "crescent", "heart", "bars", "arrow")


def generate_cats_vs_cars(train: int = 1_900, test: int = 1_000, seed: int = 0) -> Dataset:
    """Draw cats' heads and cars: x (N, 32, 32) uint8 and y (N,) uint8, 0 = cat, 1 = car, sorted by class.

    Fur, background, brightness and position vary. A quarter of the animals and cars are darker than their background,
    the others lighter, so that a linear model can hardly tell the classes apart. Equal seeds give equal bytes. meta:
    `classes`, `source`.

    Args:
        train: The number of training images.
        test: The number of test images.
        seed: A whole number.

    Raises:
        DataError: For an odd size or one below 2.

    Examples:
        >>> fn.data.generate_cats_vs_cars(20, 10).train.x.shape
        (20, 32, 32)
    """
    splits = {}
    for name, size in (("train", train), ("test", test)):
        if any_whole_number(name, size) < 2 or size % 2:
            raise DataError(f"{name}={size} images asked for, expected an even number from 2: half cats, half cars")
        splits[name] = _draw_grey(size, random.generator(seed, "generated cats and cars", name))
    return Dataset(splits["train"], None, splits["test"], {"classes": list(cats.CLASSES), "source": "generated"})


def generate_cifar10(train: int = 50_000, test: int = 10_000, seed: int = 0) -> Dataset:
    """Draw ten coloured shapes in CIFAR-10's layout: x (N, 32, 32, 3) uint8 and y (N,) uint8, 0 … 9.

    Each shape has a colour that it has a little more often than others; the rest must be told by its form. Equal seeds
    give equal bytes, and a split does not depend on the size of the other. meta: `classes`, `source`.

    Args:
        train: The number of training images.
        test: The number of test images.
        seed: A whole number.

    Raises:
        DataError: If a size is below 1.

    Examples:
        >>> fn.data.generate_cifar10(5, 5).train.x.shape
        (5, 32, 32, 3)
    """
    splits = {}
    for name, size in (("train", train), ("test", test)):
        if any_whole_number(name, size) < 1:
            raise DataError(f"{name}={size} images asked for, expected at least 1")
        splits[name] = _draw_coloured(size, random.generator(seed, "generated shapes", name))
    return Dataset(splits["train"], None, splits["test"], {"classes": list(SHAPES), "source": "generated"})


def _draw_grey(count: int, generator: np.random.Generator) -> Split:
    """`count` images sorted by class, each of random drawing, view, background, contrast and noise."""
    labels = np.repeat(np.arange(2, dtype=np.uint8), count // 2)
    which = labels * np.int64(VARIANTS) + np.floor(generator.random(count) * VARIANTS).astype(np.int64)
    views = warp.random_views(
        which, generator, size=(1.1, 1.5), turn=0.2, slant=0.15, stretch=0.2, shift=0.18, bend=0.08
    )
    look = generator.random((count, 4), dtype=np.float32)[:, :, None, None]
    start = generator.integers(0, warp.NOISE, (count, 2), dtype=np.int32)
    fine, coarse = warp.noise_tile(generator), warp.noise_tile(generator, smooth=6)
    images = np.empty((count, SIDE, SIDE), np.uint8)
    for rows, drawn in warp.look(_grey_originals(), views, SIDE):
        level, contrast, sign, noise = (look[rows, i] for i in range(4))
        ground = warp.noise_of(coarse, start[rows, 0], (SIDE, SIDE)) * CLOUDS
        ink = drawn * np.float32(1 / 255) * (0.3 + 0.3 * contrast) * np.where(sign < DARK, -1, 1)
        grain = warp.noise_of(fine, start[rows, 1], (SIDE, SIDE)) * (0.01 + 0.06 * noise)
        image = GROUND[0] + (GROUND[1] - GROUND[0]) * level + ink + ground * (drawn < 64) + grain
        images[rows] = np.clip(image, 0, 1) * 255 + 0.5
    return Split(images, labels)


def _draw_coloured(count: int, generator: np.random.Generator) -> Split:
    """`count` images, each of random shape, view, two background colours, foreground colour and noise."""
    labels = np.floor(generator.random(count) * len(SHAPES)).astype(np.uint8)
    views = warp.random_views(
        labels.astype(np.int64), generator, size=(0.75, 1.2), turn=0.35, slant=0.15, stretch=0.2, shift=0.25, bend=0.06
    )
    colours = generator.random((count, 3, 3), dtype=np.float32)
    hue = np.arange(len(SHAPES))[:, None] / len(SHAPES) + np.arange(3) / 3
    favourite = (0.5 + 0.5 * np.cos(2 * np.pi * hue)).astype(np.float32)
    colours[:, 2] = 0.65 * colours[:, 2] + 0.35 * favourite[labels]
    start = generator.integers(0, warp.NOISE, count, dtype=np.int32)
    tile = warp.noise_tile(generator, smooth=2)
    slope = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None, None]
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for rows, drawn in warp.look(_shape_originals(), views, SIDE):
        top, bottom, ink = (colours[rows, i, None, None, :] for i in range(3))
        image = top + (bottom - top) * slope
        image = image + (ink - image) * (drawn * np.float32(1 / 255))[..., None]
        image += warp.noise_of(tile, start[rows], (SIDE, SIDE))[..., None] * np.float32(0.06)
        images[rows] = np.clip(image, 0, 1, out=image) * 255 + 0.5
    return Split(images, labels)


def _grid() -> tuple[Floats, Floats]:
    """x to the right and y down, −1 … 1, of every point of an original."""
    line = (np.arange(MASTER) + 0.5) * 2 / MASTER - 1
    x, y = np.meshgrid(line, line)
    return x, y


@cache
def _grey_originals() -> NDArray[np.uint8]:
    """VARIANTS cats, then VARIANTS cars, (n, 128, 128) uint8; the same for every seed."""
    generator = random.generator(0, "cats and cars")
    drawn = [draw(*_grid(), generator.random(8)) for draw in (_cat, _car) for _ in range(VARIANTS)]
    return warp.blurred(255 * np.stack(drawn), 1)


def _cat(x: Floats, y: Floats, u: Floats) -> Floats:
    """A head with two pointed ears, eyes, a nose, and stripes in its fur; values 0 … 1."""
    width, height, ear = 0.38 + 0.12 * u[0], 0.34 + 0.12 * u[1], 0.3 + 0.2 * u[2]
    head = (x / width) ** 2 + ((y - 0.1) / height) ** 2 < 1
    for side in (-1, 1):
        middle, top = side * width * 0.65, 0.1 - height * 0.5 - ear
        head |= (np.abs(x - middle) < (y - top) * (0.3 + 0.2 * u[3])) & (y > top) & (y < 0.1)
    fur = 0.75 + 0.25 * np.sin((8 + 10 * u[4]) * (y + 0.4 * np.abs(x)) + 6 * u[5]) * (0.3 + 0.7 * u[6])
    for side in (-1, 1):
        fur[((x - side * width * 0.42) / 0.1) ** 2 + (y / (0.05 + 0.06 * u[7])) ** 2 < 1] = 0.1
    fur[(np.abs(x) < 0.07 - (y - 0.16) * 0.5) & (np.abs(y - 0.2) < 0.05)] = 0.15
    return np.where(head, fur, 0.0)


def _car(x: Floats, y: Floats, u: Floats) -> Floats:
    """A body, a cabin with windows, and two wheels; values 0 … 1."""
    length, low, roof = 0.48 + 0.14 * u[0], 0.22 + 0.1 * u[1], 0.22 + 0.14 * u[2]
    shift = 0.15 * (u[3] - 0.5)
    lean = (0.3 + 0.25 * u[4]) - 0.4 * (0.1 - y)
    body = (np.abs(x) < length) & (np.abs(y - 0.2) < low * 0.7)
    cabin = (np.abs(x - shift) < lean) & (y > 0.1 - low * 0.5 - roof) & (y < 0.2)
    paint = 0.7 + 0.3 * np.sin(3 * y + 6 * u[5]) * (0.3 + 0.7 * u[6])
    window = (np.abs(np.abs(x - shift) - lean * 0.45) < lean * 0.32) & (y > 0.16 - low * 0.5 - roof) & (y < 0.05)
    paint[cabin & window] = 0.15
    wheels = np.zeros_like(body)
    for side in (-1, 1):
        away = (x - side * length * 0.58) ** 2 + (y - 0.2 - low * 0.65) ** 2
        wheels |= away < (0.13 + 0.06 * u[7]) ** 2
        paint[away < (0.13 + 0.06 * u[7]) ** 2] = 0.35
        paint[away < 0.05**2] = 1.0
    return np.where(body | cabin | wheels, paint, 0.0)


@cache
def _shape_originals() -> NDArray[np.uint8]:
    """The ten shapes in the order of `SHAPES`."""
    x, y = _grid()
    return warp.blurred(255 * np.stack([SHAPE_MASKS[name](x, y) for name in SHAPES]), 2)


def _star(x: Floats, y: Floats) -> Mask:
    radius, angle = np.hypot(x, y), np.arctan2(x, -y)
    return np.asarray(radius < 0.42 + 0.24 * np.cos(5 * angle))


def _heart(x: Floats, y: Floats) -> Mask:
    u, v = x / 0.55, 0.15 - y / 0.55
    return np.asarray((u**2 + v**2 - 1) ** 3 < u**2 * v**3)


def _arrow(x: Floats, y: Floats) -> Mask:
    head = (np.abs(y) < 0.62 - x) & (x > 0.05)
    return np.asarray(head | ((np.abs(y) < 0.18) & (np.abs(x + 0.25) < 0.35)))


SHAPE_MASKS: dict[str, Callable[[Floats, Floats], Any]] = {
    "disc": lambda x, y: np.hypot(x, y) < 0.55,
    "ring": lambda x, y: np.abs(np.hypot(x, y) - 0.45) < 0.14,
    "square": lambda x, y: np.maximum(np.abs(x), np.abs(y)) < 0.48,
    "triangle": lambda x, y: (np.abs(x) < (y + 0.6) * 0.55) & (y < 0.5),
    "cross": lambda x, y: (np.minimum(np.abs(x), np.abs(y)) < 0.17) & (np.maximum(np.abs(x), np.abs(y)) < 0.58),
    "star": _star,
    "crescent": lambda x, y: (np.hypot(x, y) < 0.58) & (np.hypot(x - 0.28, y) > 0.46),
    "heart": _heart,
    "bars": lambda x, y: (np.maximum(np.abs(x), np.abs(y)) < 0.55) & (np.abs(np.abs(x) - 0.28) < 0.17),
    "arrow": _arrow,
}
