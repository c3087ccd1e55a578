"""Generated digits and letters, stand-ins for MNIST and notMNIST: printed characters, bent like handwriting.

Matplotlib has the typefaces, so nothing is downloaded. The images depend on the seed and on the version of matplotlib,
whose font renderer draws the characters.
"""

import os
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.validation import any_whole_number
from fastnn.data.dataset import Dataset, Split
from fastnn.data.generated import warp

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJ"
FACES = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
    *("cmr10", "cmss10", "cmtt10", "cmb10", "cmti10"),
)
# Matplotlib has it from 3.11 on, which needs Python 3.11; before, another italic takes its place.
STAND_INS = {"cmti10": "STIXGeneralItalic"}
SIDE = 28
MASTER = 128  # The side of the drawings in pixels: 4.6 of them make a pixel of the image.
HEIGHT = 84  # The height of a character in its drawing: in an image, 20 of 28 pixels at size 1, as in MNIST.
SOFT = 3  # The radius of the two box filters: they make edges one and a half pixels of the image wide.


def generate_digits(train: int = 60_000, test: int = 10_000, seed: int = 0) -> Dataset:
    """Draw digits in MNIST's layout: x (N, 28, 28) uint8, light on dark, and y (N,) uint8, 0 … 9.

    With one version of matplotlib, equal seeds give equal bytes. A split does not depend on the size of the other.
    meta: `classes`, `source`.

    Args:
        train: The number of training images.
        test: The number of test images.
        seed: A whole number.

    Raises:
        DataError: If a size is below 1.

    Examples:
        >>> fn.data.generate_digits(100, 20).train.x.shape
        (100, 28, 28)
    """
    settings = {"size": (0.8, 1.1), "turn": 0.22, "slant": 0.3, "stretch": 0.22, "shift": 0.1, "bend": 0.13}
    splits = _draw_splits(DIGITS, {"train": train, "test": test}, seed, "digits", settings, inverted=0.0)
    return Dataset(splits["train"], None, splits["test"], {"classes": list(DIGITS), "source": "generated"})


def generate_letters(train: int = 10_000, val: int = 6_000, test: int = 2_724, seed: int = 0) -> Dataset:
    """Draw the letters A … J in notMNIST's layout: x (N, 28, 28) uint8 and y (N,) uint8, 0 … 9.

    Letters are larger than digits, and one in 25 is dark on light. All else is as in `generate_digits`, with a
    validation set.

    Args:
        train: The number of training images.
        val: The number of validation images.
        test: The number of test images.
        seed: A whole number.

    Raises:
        DataError: If a size is below 1.

    Examples:
        >>> fn.data.generate_letters(50, 10, 10).meta["classes"][:3]
        ['A', 'B', 'C']
    """
    settings = {"size": (1.0, 1.35), "turn": 0.14, "slant": 0.18, "stretch": 0.2, "shift": 0.08, "bend": 0.08}
    sizes = {"train": train, "val": val, "test": test}
    splits = _draw_splits(LETTERS, sizes, seed, "letters", settings, inverted=1 / 25)
    meta = {"classes": list(LETTERS), "source": "generated"}
    return Dataset(splits["train"], splits["val"], splits["test"], meta)


def _draw_splits(
    characters: str, sizes: dict[str, int], seed: int, purpose: str, settings: dict[str, Any], inverted: float
) -> dict[str, Split]:
    splits = {}
    for name, size in sizes.items():
        if any_whole_number(name, size) < 1:
            raise DataError(f"{name}={size} images asked for, expected at least 1")
        splits[name] = _draw(characters, size, random.generator(seed, f"generated {purpose}", name), settings, inverted)
    return splits


def _draw(
    characters: str, count: int, generator: np.random.Generator, settings: dict[str, Any], inverted: float
) -> Split:
    """`count` images, each of random class, typeface, view, thickness, sharpness, brightness and noise."""
    labels = np.floor(generator.random(count) * len(characters)).astype(np.uint8)
    face = np.floor(generator.random(count) * len(FACES)).astype(np.int64)
    views = warp.random_views(labels * np.int64(len(FACES)) + face, generator, **settings)
    look = generator.random((count, 5), dtype=np.float32)[:, :, None, None]
    start = generator.integers(0, warp.NOISE, count, dtype=np.int32)
    tile = warp.noise_tile(generator)
    images = np.empty((count, SIDE, SIDE), np.uint8)
    for rows, glyphs in warp.look(originals(characters), views, SIDE):
        thickness, sharpness, brightness, noise, chance = (look[rows, i] for i in range(5))
        # The threshold across a soft edge makes a stroke thick or thin, the slope there sharp or blurred.
        ink = (glyphs * np.float32(1 / 255) - (0.15 + 0.35 * thickness)) * (2 + 4 * sharpness) + 0.5
        ink = np.clip(ink, 0, 1, out=ink) * (0.7 + 0.3 * brightness)
        ink += warp.noise_of(tile, start[rows], (SIDE, SIDE)) * (0.07 * noise)
        np.abs((chance < inverted) - ink, out=ink)
        images[rows] = np.clip(ink, 0, 1, out=ink) * 255 + 0.5
    return Split(images, labels)


def typefaces() -> str:
    """The folder of matplotlib's typefaces."""
    import matplotlib

    return os.path.join(matplotlib.get_data_path(), "fonts", "ttf")


@cache
def originals(characters: str) -> NDArray[np.uint8]:
    """Every character in every typeface, (characters · faces, 128, 128) uint8 with soft edges; faces vary fastest."""
    from matplotlib.ft2font import FT2Font

    folder = typefaces()
    try:
        there = {face.removesuffix(".ttf") for face in os.listdir(folder)}
        names = [face if face in there else STAND_INS.get(face, face) for face in FACES]
        fonts = [FT2Font(os.path.join(folder, f"{name}.ttf")) for name in names]
    except OSError as error:
        raise DataError(f"cannot draw characters: this matplotlib lacks one of its typefaces: {error}") from error
    drawn = warp.blurred(np.stack([_glyph(font, character) for character in characters for font in fonts]), SOFT)
    drawn.setflags(write=False)
    return drawn


def _glyph(font: Any, character: str) -> NDArray[np.uint8]:
    """One character, HEIGHT tall, in the middle of a square. A wide one is cut off at the margin, which stays 0."""
    bitmap = _bitmap(font, character, HEIGHT)
    bitmap = _bitmap(
        font, character, HEIGHT * HEIGHT / bitmap.shape[0]
    )  # Characters of one font size differ in height.
    square = np.zeros((MASTER, MASTER), np.uint8)
    limit = MASTER - 4 * (SOFT + 1)
    cut = [(length - min(length, limit)) // 2 for length in bitmap.shape]
    bitmap = bitmap[cut[0] : cut[0] + limit, cut[1] : cut[1] + limit]
    top, left = ((MASTER - length) // 2 for length in bitmap.shape)
    square[top : top + bitmap.shape[0], left : left + bitmap.shape[1]] = bitmap
    return square


def _bitmap(font: Any, character: str, points: float) -> NDArray[np.uint8]:
    """The character drawn without margins."""
    font.set_size(points, 72)
    font.set_text(character)
    font.draw_glyphs_to_bitmap(antialiased=True)
    drawn = np.asarray(font.get_image())
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
