"""The HDF5 file of cats and cars: grey 32×32 pictures, `trainims`, `trainlbls`, `testims`, `testlbls`."""

import os
from typing import TYPE_CHECKING

import numpy as np

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import atomic_path
from fastnn.data.dataset import Dataset, Split
from fastnn.data.formats import reading

if TYPE_CHECKING:
    import h5py

CLASSES = ("cat", "car")
KEYS = ("trainims", "trainlbls", "testims", "testlbls")


def load_cats_vs_cars(path: str | os.PathLike[str]) -> Dataset:
    """Read the file: x (N, 32, 32) uint8 and y (N,) uint8, 0 = cat, 1 = car, in the file's order: sorted by class.

    Labels may be stored as any kind of number, (N,) or (N, 1). Training set and test set; meta: `classes`, `source`.
    Raises FileFormatError if the file is missing, damaged or of another layout, DataError if values make no sense.
    """
    name = os.fspath(path)
    with reading.open_hdf5(name) as file:
        train, test = (_split(file, name, f"{part}ims", f"{part}lbls") for part in ("train", "test"))
    reading.check_alike({"train": train, "test": test}, repr(name))
    return Dataset(train, None, test, meta={"classes": list(CLASSES), "source": name})


def save_cats_vs_cars(path: str | os.PathLike[str], dataset: Dataset) -> None:
    """Write the layout that `load_cats_vs_cars` reads, labels as float64; the file appears whole or not at all."""
    import h5py

    if dataset.test is None:
        raise DataError("the layout of cats and cars has a training and a test set, found no test set")
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        for part, split in (("train", dataset.train), ("test", dataset.test)):
            file[f"{part}ims"] = split.x
            file[f"{part}lbls"] = split.y.astype(np.float64)


def _split(file: "h5py.File", name: str, images_key: str, labels_key: str) -> Split:
    images, labels = (reading.hdf5_array(file, name, key, KEYS) for key in (images_key, labels_key))
    where = f"{name!r}: {images_key!r}", f"{name!r}: {labels_key!r}"
    if images.ndim != 3 or images.dtype != np.uint8:
        raise FileFormatError(f"{where[0]} is {images.shape} {images.dtype}, expected (N, H, W) uint8")
    if labels.ndim not in (1, 2):
        raise FileFormatError(f"{where[1]} has shape {labels.shape}, expected labels (N,) or (N, 1)")
    for array, place in zip((images, labels), where, strict=True):
        reading.check_size(place, array.shape, array.dtype.itemsize)
        reading.check_written(array, name, place)
    reading.check_lengths(images, labels, where)  # By their lengths alone: nothing is read for data that do not fit.
    return Split(reading.as_images(images[()], where[0]), reading.as_labels(labels[()], where[1], len(CLASSES)))
