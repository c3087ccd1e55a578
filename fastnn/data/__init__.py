"""Loaders and generators: files and random sources in, `Dataset` of `Split`s out. Ids and labels start at 0."""

import os

from fastnn.data.dataset import Dataset, Split
from fastnn.data.hdf5 import load_trigram_hdf5, save_trigram_hdf5
from fastnn.data.markov import generate_trigrams
from fastnn.data.text import load_text

__all__ = [
    "Dataset",
    "Split",
    "generate_trigrams",
    "load_text",
    "load_trigram",
    "load_trigram_hdf5",
    "save_trigram_hdf5",
]


def load_trigram(path: str | os.PathLike[str] | None = None) -> Dataset:
    """Four-grams for the trigram task: x (N, 3), y (N,), `meta["words"]`.

    No path: the generated corpus, always the same. A path that ends in .txt: plain text. Any other: the HDF5 file.
    `meta["source"]` says which. Raises FileFormatError or DataError.
    """
    if path is None:
        return generate_trigrams()
    if os.fspath(path).lower().endswith(".txt"):
        return load_text(path)
    return load_trigram_hdf5(path)
