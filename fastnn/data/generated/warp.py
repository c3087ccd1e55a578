"""Pictures bent, turned and placed: the one loop over pixels that the generated images share.

A picture is drawn once at high resolution with soft edges; an image is that picture seen through an affine map and a
wave. Each of its pixels looks up the nearest point: the soft edges have done the smoothing beforehand, so that one
look-up stands for an average over a pixel. 70,000 images of 28×28 take about two seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
CHUNK = 2_000  # Images at a time: 10 MB of coordinates, which stay in cache between the passes over them.
NOISE = 1 << 20  # Numbers in the tile of noise; each image reads it from a place of its own.


@dataclass(frozen=True, eq=False)
class Views:
    """How N images see their pictures. Lengths are in halves of the picture's side, angles in radians.

    which : (N,) integer — number of the picture.
    matrix : (N, 2, 2) float32 — image coordinates (x right, y down, −1 … 1) to picture coordinates.
    shift : (N, 2) float32 — added to them, x and y.
    wave : (N, 3) float32 — amplitude, waves in a picture's side and phase of a sideways and an up-and-down wave.
    """

    which: NDArray[np.int64]
    matrix: Floats
    shift: Floats
    wave: Floats

    def __len__(self) -> int:
        """Number of images."""
        return len(self.which)


def look(pictures: NDArray[np.uint8], views: Views, side: int) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """The images of `views`, (rows, (n, side, side) uint8) at a time.

    pictures : (K, S, S) uint8, all borders 0: what lies outside is the border.
    """
    size = pictures.shape[1]
    grid = ((np.arange(side, dtype=np.float32) + 0.5) * 2 / side - 1).astype(np.float32)
    for low in range(0, len(views), CHUNK):
        rows = slice(low, min(low + CHUNK, len(views)))
        x, y = _coordinates(views, rows, grid)
        place = _index(y, size) * size + _index(x, size)
        place += (views.which[rows] * size * size).astype(np.int32)[:, None, None]
        yield rows, np.take(pictures.reshape(-1), place)


def _coordinates(views: Views, rows: slice, grid: Floats) -> tuple[Floats, Floats]:
    """Picture coordinates of every pixel, two arrays (n, side, side).

    The sideways wave depends on the row alone, the other on the column alone: a sine for each row and not for each
    pixel.
    """
    matrix, shift, wave = views.matrix[rows], views.shift[rows], views.wave[rows]
    bend = wave[:, :1] * np.sin(np.float32(np.pi) * wave[:, 1:2] * grid + wave[:, 2:])
    across, down = grid[None, None, :], grid[None, :, None]
    x = matrix[:, 0, 0, None, None] * across + (matrix[:, 0, 1, None] * grid + shift[:, :1] + bend)[:, :, None]
    y = matrix[:, 1, 1, None, None] * down + (matrix[:, 1, 0, None] * grid + shift[:, 1:] + bend)[:, None, :]
    return x, y


def _index(coordinate: Floats, size: int) -> NDArray[np.int32]:
    """Number of the nearest row or column of a picture, kept inside."""
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
    """Views at random, each setting uniform.

    size : least and greatest size of the picture in the image, 1: fills it.
    turn : angle, radians, ± ; slant : sideways for each step down, ± ; stretch : width over height, exp(±) ;
    shift : places, halves of the side, ± ; bend : the wave's amplitude, 0 up to this.
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
    places = shift * signed[:, 7:9] * scale[:, None]
    return Views(which, matrix.astype(np.float32), places.astype(np.float32), wave.astype(np.float32))


def noise_tile(generator: np.random.Generator, smooth: int = 1) -> Floats:
    """Normal noise, mean 0, deviation 1, (NOISE,); each `smooth` neighbours of a 1024×1024 square alike."""
    square = generator.standard_normal((1024, 1024), dtype=np.float32)
    for axis in (0, 1):
        square = sum((np.roll(square, i, axis) for i in range(1, smooth)), start=square)
    return np.asarray((square / square.std()).reshape(-1), np.float32)


def noise_of(tile: Floats, start: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Noise (n, H, W): image i reads rows of the tile's square from number start[i] on, wrapped around its end."""
    place = (np.arange(shape[0]) * 1024)[:, None] + np.arange(shape[1])
    return tile[(start[:, None, None] + place.astype(np.int32)) & (NOISE - 1)]


def blurred(pictures: NDArray[Any], radius: int) -> NDArray[np.uint8]:
    """Pictures (K, S, S) after two box filters of 2·radius + 1 points each way: soft edges, borders 0."""
    soft: NDArray[Any] = pictures.astype(np.float32)
    for _ in range(2):
        for axis in (1, 2):
            total = np.cumsum(soft, axis=axis)
            soft = (np.roll(total, -radius, axis) - np.roll(total, radius + 1, axis)) / (2 * radius + 1)
            # What `roll` brings around from the other end is a sum, not a picture.
            edge = [slice(None)] * 3
            for ends in (slice(0, radius + 1), slice(-radius - 1, None)):
                edge[axis] = ends
                soft[tuple(edge)] = 0
    return np.clip(np.rint(soft), 0, 255).astype(np.uint8)
