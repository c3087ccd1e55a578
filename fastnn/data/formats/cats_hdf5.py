"""The HDF5 file of cats and cars: grey 32×32 pictures, `trainims`, `trainlbls`, `testims`, `testlbls`."""

import os

import numpy as np

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import write_whole
from fastnn.common.framed.image import image_of
from fastnn.data.dataset import Dataset, Split
from fastnn.data.formats import reading
from fastnn.data.hdf5.file import HDF5File, open_hdf5

CLASSES = ("cat", "car")
KEYS = ("trainims", "trainlbls", "testims", "testlbls")


def load_cats_vs_cars(path: str | os.PathLike[str]) -> Dataset:
    """Read the file: x (N, 32, 32) uint8 and y (N,) uint8, 0 = cat, 1 = car, in the order of the file.

    The file may store labels as any kind of number, (N,) or (N, 1). The original is sorted by class. There is a
    training set and a test set; meta: `classes`, `source`.

    Args:
        path: The HDF5 file.

    Raises:
        FileFormatError: If the file is missing, damaged or of another layout.
        DataError: For labels that are not 0 or 1, or unequal numbers of images and labels.

    Examples:
        >>> fn.data.save_cats_vs_cars("cats.h5", fn.data.generate_cats_vs_cars(20, 10))
        >>> fn.data.load_cats_vs_cars("cats.h5").train.x.shape
        (20, 32, 32)
    """
    name = os.fspath(path)
    with open_hdf5(name) as file:
        train, test = (_split(file, name, f"{split}ims", f"{split}lbls") for split in ("train", "test"))
    reading.check_alike({"train": train, "test": test}, repr(name))
    return Dataset(train, None, test, meta={"classes": list(CLASSES), "source": name})


def save_cats_vs_cars(path: str | os.PathLike[str], dataset: Dataset) -> None:
    """Write the file that `load_cats_vs_cars` reads, labels as float64, whole or not at all.

    Args:
        path: The HDF5 file.
        dataset: With a training and a test set.

    Raises:
        DataError: If there is no test set.
        FileFormatError: If the file cannot be written.
    """
    if dataset.test is None:
        raise DataError("the layout of cats and cars has a training and a test set, found no test set")
    tree: dict[str, np.ndarray] = {}
    for name, split in (("train", dataset.train), ("test", dataset.test)):
        tree |= {f"{name}ims": np.asarray(split.x), f"{name}lbls": split.y.astype(np.float64)}
    write_whole(path, image_of(tree, {}).pieces)


def _split(file: HDF5File, name: str, images_key: str, labels_key: str) -> Split:
    images, labels = (file.array(key, KEYS) for key in (images_key, labels_key))
    where = f"{name!r}: {images_key!r}", f"{name!r}: {labels_key!r}"
    if images.ndim != 3 or images.dtype != np.uint8:
        raise FileFormatError(f"{where[0]} is {images.shape} {images.what}, expected (N, H, W) uint8")
    if labels.ndim not in (1, 2):
        raise FileFormatError(f"{where[1]} has shape {labels.shape}, expected labels (N,) or (N, 1)")
    if labels.dtype is None:
        raise FileFormatError(f"{where[1]} holds {labels.what}, expected whole numbers")
    for array, array_name in zip((images, labels), where, strict=True):
        reading.check_size(array_name, array.shape, array.described.itemsize)
        array.check_written()
    reading.check_lengths(images, labels, where)  # before anything is read
    return Split(reading.as_images(images.read(), where[0]), reading.as_labels(labels.read(), where[1], len(CLASSES)))
