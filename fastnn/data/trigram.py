"""The data of the trigram task: an HDF5 file, plain text, or generated."""

import os
from collections.abc import Sequence
from typing import Any

from fastnn.data.dataset import CompleteDataset
from fastnn.data.formats import text
from fastnn.data.formats import trigram_hdf5 as hdf5
from fastnn.data.generated import markov
from fastnn.data.hdf5.file import is_hdf5

Path = str | os.PathLike[str]

HDF5_ENDINGS = (".h5", ".hdf5")


def load_trigram(path: Path | None = None, words: Sequence[str] | None = None, **of_text: Any) -> CompleteDataset:
    """Four-grams for the trigram task: x (N, 3), y (N,), `meta["words"]`.

    `meta["source"]` says where they come from.

    Args:
        path: None: the generated corpus, always the same. A folder, or a file that is no HDF5: plain text, n-grams as
            `load_text` makes them. Any other: the HDF5 file.
        words: The vocabulary of a trained model, whose ids a file's words get.
        **of_text: Further arguments of `load_text`, for plain text.

    Raises:
        FileFormatError: If the file is missing, damaged or of another layout.
        DataError: If it holds numbers that are no word ids, or words that are not in the vocabulary.

    Examples:
        >>> data = fn.data.load_trigram()  # doctest: +SKIP
    """
    if path is None:
        return markov.generate_trigrams()
    return text.load_text(path, words=words, **of_text) if is_text(path) else hdf5.load_trigram_hdf5(path, words)


def is_text(path: Path) -> bool:
    """Whether the trigram task reads a path as plain text: a folder, or a file that is no HDF5 by name and content.

    Args:
        path: The file or folder.

    Examples:
        >>> fn.data.is_text("book.txt")
        True
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        return True
    return not name.lower().endswith(HDF5_ENDINGS) and not is_hdf5(name)
