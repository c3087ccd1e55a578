"""Files of a few samples for each system: real formats, so that recipes read them as they read the originals."""

import csv

import h5py
import numpy as np

from fastnn import data
from fastnn.recipes import RECIPES

FILES = {
    "trigram": "trigram.h5",
    "cats-vs-cars": "cats.h5",
    "cifar10": "colour.npz",
    "mnist": "grey.npz",
    "notmnist": "grey.npz",
    "moons": "points.npz",
    "blobs": "points.npz",
}
WORDS = [f"word{i:02d}" for i in range(12)]


def write_trigrams(path, words=WORDS):
    """Three parts of four-grams whose fourth word follows the third in the vocabulary; ids from 1."""
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["words"] = np.array([word.encode() for word in words])
        for part, count in (("train", 240), ("val", 40), ("test", 40)):
            x = rng.integers(1, len(words) + 1, (count, 3)).astype(np.int32)
            file[f"{part}x"], file[f"{part}d"] = x, x[:, 2] % len(words) + 1


def pictures(shape, classes=10, train=90, test=30, in_order=False):
    """Pictures with a bright row whose position is the label: a net that learns at all learns them."""
    rng = np.random.default_rng(1)
    splits = []
    for count in (train, test):
        y = (np.arange(count) % classes).astype(np.uint8)
        y = np.sort(y) if in_order else y
        x = rng.integers(0, 60, (count, *shape)).astype(np.uint8)
        x[np.arange(count), 2 * y + 1] = 250
        splits.append(data.Split(x, y))
    return data.Dataset(splits[0], None, splits[1], {"classes": [str(i) for i in range(classes)], "source": "test"})


def write_all(folder):
    """A data file of each system, by its id. Systems with the same data set share a file."""
    write_trigrams(folder / "trigram.h5")
    data.save_cats_vs_cars(folder / "cats.h5", pictures((32, 32), classes=2, in_order=True))
    data.save_npz(folder / "colour.npz", pictures((32, 32, 3)))
    data.save_npz(folder / "grey.npz", pictures((28, 28)))
    data.save_npz(folder / "points.npz", data.generate_moons(60))
    return {recipe.id: folder / FILES[recipe.data_set] for recipe in RECIPES.values()}


def write_table(path, columns):
    """A CSV file with these columns: name -> cells."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path
