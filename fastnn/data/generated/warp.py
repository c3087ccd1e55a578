"""Generated images from drawings that are turned, sheared, bent and moved.

A drawing is made once, at high resolution and with soft edges. An image is the drawing seen through an affine map and a
wave: each pixel of the image reads the nearest pixel of the drawing. Because of the soft edges, this one value is close
to an average over the pixel. 70,000 images of 28×28 take about two seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
CHUNK = 2_000  # Images made at a time: their 10 MB of coordinates stay in the cache.
NOISE = 1 << 20  # Numbers in the tile of noise; each image reads it from another start.


@dataclass(frozen=True, eq=False)
class Views:
    """How N images see their drawings. Lengths are in halves of the drawing's side, angles in radians.

    which : (N,) integer — the number of the drawing.
    matrix : (N, 2, 2) float32 — from image coordinates (x right, y down, −1 … 1) to coordinates of the drawing.
    shift : (N, 2) float32 — added to the latter, x and y.
    wave : (N, 3) float32 — of a sideways and a vertical wave: amplitude, waves along a side of the image, and phase.
    """

    which: NDArray[np.int64]
    matrix: Floats
    shift: Floats
    wave: Floats

    def __len__(self) -> int:
        """Number of images."""
        return len(self.which)


def look(drawings: NDArray[np.uint8], views: Views, side: int) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """The images of `views`, n at a time: yields (slice of the views, images (n, side, side) uint8).

    drawings : (K, S, S) uint8, all borders 0: a coordinate outside reads the border.
    """
    size = drawings.shape[1]
    grid = ((np.arange(side, dtype=np.float32) + 0.5) * 2 / side - 1).astype(np.float32)
    for low in range(0, len(views), CHUNK):
        rows = slice(low, min(low + CHUNK, len(views)))
        x, y = _coordinates(views, rows, grid)
        index = _index(y, size) * size + _index(x, size)
        index += (views.which[rows] * size * size).astype(np.int32)[:, None, None]
        yield rows, np.take(drawings.reshape(-1), index)


def _coordinates(views: Views, rows: slice, grid: Floats) -> tuple[Floats, Floats]:
    """The coordinates x and y in the drawing of every pixel, (n, side, side) each.

    The sideways wave depends on the row alone, the vertical wave on the column alone: that takes one sine for each row
    of an image, not for each pixel.
    """
    matrix, shift, wave = views.matrix[rows], views.shift[rows], views.wave[rows]
    bend = wave[:, :1] * np.sin(np.float32(np.pi) * wave[:, 1:2] * grid + wave[:, 2:])
    across, down = grid[None, None, :], grid[None, :, None]
    x = matrix[:, 0, 0, None, None] * across + (matrix[:, 0, 1, None] * grid + shift[:, :1] + bend)[:, :, None]
    y = matrix[:, 1, 1, None, None] * down + (matrix[:, 1, 0, None] * grid + shift[:, 1:] + bend)[:, None, :]
    return x, y


def _index(coordinate: Floats, size: int) -> NDArray[np.int32]:
    """The number of the nearest row or column of a drawing, clipped to 0 … size − 1. Overwrites `coordinate`."""
    coordinate *= size / 2
    coordinate += size / 2
    return np.clip(coordinate, 0, size - 1, out=coordinate).astype(np.int32)


def random_views(
    which: NDArray[np.int64],
    generator: np.random.Generator,
    *,
    size: tuple[float, float],
    turn: float,
    slant: float,
    stretch: float,
    shift: float,
    bend: float,
) -> Views:
    """Random views; every setting is uniform in its range.

    size    : least and greatest size of the drawing in the image; with size 1 it fills the image
    turn    : angle in radians, −turn … turn
    slant   : step sideways for each step down, −slant … slant
    stretch : logarithm of the square root of width over height, −stretch … stretch
    shift   : in halves of the side, −shift … shift, sideways and vertically
    bend    : amplitude of the waves, 0 … bend
    """
    u = generator.random((len(which), 9))
    signed = 2 * u - 1
    angle, scale = turn * signed[:, 0], 1 / (size[0] + (size[1] - size[0]) * u[:, 1])
    narrow = np.exp(stretch * signed[:, 2])
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], -2)
    sheared = np.stack([np.ones_like(angle), slant * signed[:, 3], np.zeros_like(angle), np.ones_like(angle)], -1)
    matrix = sheared.reshape(-1, 2, 2) @ turned * scale[:, None, None]
    matrix *= np.stack([narrow, 1 / narrow], -1)[:, :, None]
    wave = np.stack([bend * u[:, 4], 0.4 + 0.8 * u[:, 5], 2 * np.pi * u[:, 6]], -1)
    moved = shift * signed[:, 7:9] * scale[:, None]
    return Views(which, matrix.astype(np.float32), moved.astype(np.float32), wave.astype(np.float32))


def noise_tile(generator: np.random.Generator, smooth: int = 1) -> Floats:
    """Normal noise, mean 0 and deviation 1, as a 1024×1024 square made flat, (NOISE,).

    smooth : each number is the mean of smooth × smooth neighbours of white noise, scaled; 1: white noise
    """
    square = generator.standard_normal((1024, 1024), dtype=np.float32)
    for axis in (0, 1):
        square = sum((np.roll(square, i, axis) for i in range(1, smooth)), start=square)
    return np.asarray((square / square.std()).reshape(-1), np.float32)


def noise_of(tile: Floats, start: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Noise (n, H, W) for n images of `shape`: image i reads the square of the tile from number start[i] on."""
    index = (np.arange(shape[0]) * 1024)[:, None] + np.arange(shape[1])
    return tile[(start[:, None, None] + index.astype(np.int32)) & (NOISE - 1)]  # from the end on to the beginning


def blurred(drawings: NDArray[Any], radius: int) -> NDArray[np.uint8]:
    """Drawings (K, S, S) after two box filters, 2·radius + 1 pixels wide, along each axis; their borders are 0."""
    soft: NDArray[Any] = drawings.astype(np.float32)
    for _ in range(2):
        for axis in (1, 2):
            total = np.cumsum(soft, axis=axis)
            soft = (np.roll(total, -radius, axis) - np.roll(total, radius + 1, axis)) / (2 * radius + 1)
            # Near the borders `roll` brings in sums from the other end: set these pixels to 0.
            edge = [slice(None)] * 3
            for ends in (slice(0, radius + 1), slice(-radius - 1, None)):
                edge[axis] = ends
                soft[tuple(edge)] = 0
    return np.clip(np.rint(soft), 0, 255).astype(np.uint8)
