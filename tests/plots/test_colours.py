"""The colours of lines: any two are far apart on white paper, for colour-blind readers too.

The measure is the distance in CIELAB of 1976 (D65), in which about 2 is just seen side by side. How a colour looks to
readers who lack one kind of cone is the linear model of Machado, Oliveira and Fernandes (2009), at full severity.
"""

import itertools

import numpy as np
import pytest

from fastnn.plots.style import COLOURS

XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
SEEN = {
    "usual": np.eye(3),
    "no red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour):
    """Red, green and blue light, each 0 to 1, of "#RRGGBB" in sRGB."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(light):
    ratio = XYZ @ np.clip(light, 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one, other, eyes):
    return float(np.linalg.norm(lab(SEEN[eyes] @ linear(one)) - lab(SEEN[eyes] @ linear(other))))


def least(colours, eyes):
    return min(distance(one, other, eyes) for one, other in itertools.combinations(colours, 2))


def test_the_measure():
    assert lab(np.ones(3)) == pytest.approx([100, 0, 0], abs=0.01)
    assert lab(linear("#FF0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.01)  # as printed for sRGB's red


@pytest.mark.parametrize(("eyes", "apart"), [("usual", 39), ("no red cones", 27), ("no green cones", 27)])
def test_any_two_colours_are_far_apart(eyes, apart):
    assert least(COLOURS, eyes) > apart


def test_any_two_colours_differ_without_blue_cones():
    """One reader in 10,000: blue and green come near each other, and are still seen apart."""
    assert least(COLOURS, "no blue cones") > 15


def test_pale_colours_come_last():
    lightness = [lab(linear(colour))[0] for colour in COLOURS]
    assert max(lightness[:4]) < 60  # white is 100
    assert max(lightness) < 80
