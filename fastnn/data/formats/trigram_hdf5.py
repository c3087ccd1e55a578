"""The HDF5 file of the trigram task: reading it, with a message for every mistake in it, and writing it.

Layout: `trainx` (N, 3) and `traind` (N,) or (N, 1), the same for `val` and `test`, whole-number word ids from 1 to V;
`words` (V,) strings. Keys may stand in any order, others are ignored.
"""

import logging
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import write_whole
from fastnn.common.framed.image import image_of
from fastnn.common.text import SPLITS
from fastnn.data.dataset import CompleteDataset, Dataset, Split, id_dtype
from fastnn.data.formats import reading
from fastnn.data.h5stream import H5Stream
from fastnn.data.hdf5.file import HDF5Array, HDF5File, open_hdf5
from fastnn.text.vocabulary import check_different

log = logging.getLogger(__name__)

KEYS = ("words", *(split + array for split in SPLITS for array in "xd"))
BLOCK_ROWS = 65_536  # Rows converted at a time: 1.5 MB if the file holds 64-bit numbers.
STREAMED_FROM = 200_000_000  # A larger training split, more than 800 MB, is not read into memory.


def load_trigram_hdf5(path: str | os.PathLike[str], known: Sequence[str] | None = None) -> CompleteDataset:
    """Read a trigram file: x (N, 3) and y (N,), ids from 0, of the smallest unsigned dtype that holds the words.

    A training split of more than 200 million four-grams is a stream, which training reads block by block. meta: `words`
    (list of str), `source` (the path), `true_entropy` (None).

    Args:
        path: The HDF5 file.
        known: The words of a trained model, whose ids those of the file get; None: the ids are those of the file.

    Raises:
        FileFormatError: If the file is missing, damaged or of another layout.
        DataError: If it holds numbers that are no word ids, a word twice, or words not `known`.

    Examples:
        >>> fn.data.save_trigram_hdf5("data.h5", fn.data.generate_trigrams(100, 10, 10))
        >>> fn.data.load_trigram_hdf5("data.h5").train.x.shape
        (100, 3)
    """
    name = os.fspath(path)
    with open_hdf5(name) as file:
        words = _read_words(file.array("words", KEYS), name)
        train, val, test = (_read_split(file, name, split, len(words)) for split in SPLITS)
    log.info("read %s: %d + %d + %d four-grams, %d words", name, len(train), len(val), len(test), len(words))
    data = CompleteDataset(train, val, test, meta={"words": words, "source": str(name), "true_entropy": None})
    return data if known is None or words == list(known) else _renumbered(data, known, name)


def save_trigram_hdf5(path: str | os.PathLike[str], dataset: Dataset) -> None:
    """Write the file that `load_trigram_hdf5` reads, ids from 1, whole or not at all.

    Args:
        path: The HDF5 file.
        dataset: With all three splits.

    Raises:
        DataError: If a split or `meta["words"]` is missing.
        FileFormatError: If the file cannot be written.
    """
    words, splits = dataset.meta.get("words"), dataset.splits()
    if not words or len(splits) != len(SPLITS):
        found = f"{', '.join(splits)} and words {words!r:.40}"
        raise DataError(f"expected train, val, test and meta['words'] to save, found {found}")
    tree = {"words": np.array([word.encode() for word in words])}
    for name, split in splits.items():
        tree[f"{name}x"] = split.x.astype(np.int32) + np.int32(1)
        tree[f"{name}d"] = split.y.astype(np.int32) + np.int32(1)
    write_whole(path, image_of(tree, {}).pieces)


def _renumbered(data: CompleteDataset, known: Sequence[str], name: str) -> CompleteDataset:
    """The data with the ids that their words have in `known`. DataError if a word has none there."""
    number = {word: i for i, word in enumerate(known)}
    if missing := next((word for word in data.meta["words"] if word not in number), None):
        raise DataError(f"{name!r}: 'words' holds {missing!r}, which is not among the {len(known)} of the model")
    if data.train.is_streamed:
        raise DataError(f"{name!r} has its words in another order than the model, and is too large to be renumbered")
    ids = np.array([number[word] for word in data.meta["words"]], id_dtype(len(known)))
    train, val, test = (Split(ids[split.x], ids[split.y]) for split in (data.train, data.val, data.test))
    return replace(data, train=train, val=val, test=test, meta=data.meta | {"words": list(known)})


def _read_words(array: HDF5Array, name: str) -> list[str]:
    """The vocabulary, a list of V str, from strings of fixed or variable length, (V,), (V, 1) or (1, V)."""
    reading.check_size(f"{name!r}: 'words'", array.shape, array.described.itemsize)
    array.check_written()
    if array.ndim not in (1, 2) or max(array.shape) != math.prod(array.shape) or not array.described.is_text:
        raise FileFormatError(f"{name!r}: 'words' is {array.shape} {array.what}, expected (V,) strings")
    if len(array) == 0:
        raise DataError(f"{name!r}: 'words' is empty, expected at least one word")
    words = []
    for i, word in enumerate(array.texts()):
        try:
            words.append(word.decode())
        except UnicodeDecodeError as error:
            raise DataError(f"{name!r}: 'words' entry {i} is {word!r}, expected UTF-8 text") from error
    check_different(words, f"{name!r}: 'words'", DataError)
    return words


def _read_split(file: HDF5File, name: str, split: str, vocabulary: int) -> Split:
    x, y = (file.array(split + letter, KEYS) for letter in "xd")
    _check_split(x, y, name, split)
    if split == "train" and len(x) > STREAMED_FROM:
        return Split(H5Stream(name, "trainx", _from_zero), H5Stream(name, "traind", _labels_from_zero))
    return Split(_read_ids(x, name, vocabulary), _read_ids(y, name, vocabulary).reshape(-1))


def _check_split(x: HDF5Array, y: HDF5Array, name: str, split: str) -> None:
    """Refuse arrays whose shapes are not those of the layout, before they are read."""
    if x.ndim != 2 or x.shape[1] != 3:
        hint = " (transposed?)" if x.ndim == 2 and x.shape[0] == 3 else ""
        raise FileFormatError(f"{name!r}: '{split}x' has shape {x.shape}, expected (N, 3){hint}")
    if y.ndim not in (1, 2) or y.shape[1:] not in ((), (1,)):
        raise FileFormatError(f"{name!r}: '{split}d' has shape {y.shape}, expected (N,) or (N, 1)")
    if len(x) != len(y):
        raise DataError(f"{name!r}: '{split}x' has {len(x)} rows but '{split}d' has {len(y)}, expected as many labels")
    if len(x) == 0:
        raise DataError(f"{name!r}: '{split}x' is empty, expected at least one four-gram")
    for array in (x, y):
        array.check_written()


def _from_zero(ids: NDArray[Any]) -> NDArray[Any]:
    """Ids from 0, of signed integers: an id 0 in the file becomes −1, which is refused when the stream is read."""
    if ids.dtype.kind not in "iu":
        return ids - 1
    signed = np.int32 if np.can_cast(ids.dtype, np.int32) else np.int64
    return ids.astype(signed) - signed(1)


def _labels_from_zero(ids: NDArray[Any]) -> NDArray[Any]:
    return _from_zero(ids).reshape(-1)


def _read_ids(array: HDF5Array, name: str, vocabulary: int) -> NDArray[Any]:
    """Ids from 0, converted a block of rows at a time, so that memory holds the array once."""
    key = array.key
    if array.dtype is None or array.dtype.kind not in "iuf":
        raise FileFormatError(f"{name!r}: {key!r} holds {array.what}, expected whole numbers")
    ids = np.empty(array.shape, id_dtype(vocabulary))
    for low in range(0, len(array), BLOCK_ROWS):
        block = array.read(low, min(low + BLOCK_ROWS, len(array)))
        wrong = ~((block >= 1) & (block <= vocabulary))  # NaN compares false, so it is wrong
        if block.dtype.kind == "f":
            wrong |= block != np.floor(block)
        if wrong.any():
            raise _bad_id(block, wrong, low, key, name, vocabulary)
        ids[low : low + BLOCK_ROWS] = block - block.dtype.type(1)
    return ids


def _bad_id(block: NDArray[Any], wrong: NDArray[np.bool_], low: int, key: str, name: str, vocabulary: int) -> DataError:
    """The error that names the first bad id of a block, which starts at row `low` of the array."""
    position = tuple(int(i) for i in np.argwhere(wrong)[0])
    column = f", column {position[1]}" if block.ndim == 2 and block.shape[1] > 1 else ""
    what = "word id" if key.endswith("x") else "label"
    return DataError(
        f"{name!r}: {key!r} row {low + position[0]}{column} (rows count from 0) holds {what} {block[position]}, "
        f"expected a whole number from 1 to {vocabulary}, the number of entries in 'words'"
    )
