"""Data sets: loading, generating, fetching and saving them.

Loaders and generators return a `Dataset` of `Split`s. Ids and labels start at 0.

Which file to read for what, each list in a good order:

- data sets: `dataset` (what loaders return), `catalogue` (by name), `division` (into splits), `trigram`; `formats/` (of
  files), `generated/`; `download`, `remote`, `mirror`, `receiver` (fetched over HTTP)
- what a training reads: `fit_data`, `source`, `chunk` (samples in memory), `batches` (that a user makes), `stream`,
  `streamed`
- streams: `h5stream`, `hdf5/` (files of others), `windows` and `spans` (of a text)
- prepared data: `preprocessing/`, `prepared`
- tables: `tables`, `table_target`, `frames`, `column_hints`, `column_names` (of the training's frames)

Examples:
    >>> data = fn.data.generate_digits(100, 20)  # generated, nothing is downloaded
    >>> data = fn.data.load_idx("mnist")  # files in a folder  # doctest: +SKIP
    >>> data, source = fn.data.find_data("mnist")  # files that were fetched, or else generated  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING

from fastnn.common.hints.habits import completed_by as _completed_by
from fastnn.common.hints.habits import missing_from as _missing_from
from fastnn.data.dataset import Dataset, Split
from fastnn.data.division import Use
from fastnn.data.h5stream import H5Stream

__all__ = [
    "Dataset",
    "H5Stream",
    "Split",
    "Use",
    "data_folder",
    "fetch",
    "find_data",
    "generate_blobs",
    "generate_cats_vs_cars",
    "generate_cifar10",
    "generate_digits",
    "generate_letters",
    "generate_moons",
    "generate_trigrams",
    "is_text",
    "load_cats_vs_cars",
    "load_cifar10",
    "load_idx",
    "load_npz",
    "load_text",
    "load_trigram",
    "load_trigram_hdf5",
    "read_idx",
    "save_cats_vs_cars",
    "save_cifar10",
    "save_idx",
    "save_npz",
    "save_trigram_hdf5",
    "write_idx",
]

if TYPE_CHECKING:  # imported when they are first asked for: a training of one's own arrays needs none of them
    from fastnn.data.catalogue import find_data
    from fastnn.data.download import data_folder, fetch
    from fastnn.data.formats.cats_hdf5 import load_cats_vs_cars, save_cats_vs_cars
    from fastnn.data.formats.cifar import load_cifar10, save_cifar10
    from fastnn.data.formats.idx import load_idx, read_idx, save_idx, write_idx
    from fastnn.data.formats.npz import load_npz, save_npz
    from fastnn.data.formats.text import load_text
    from fastnn.data.formats.trigram_hdf5 import load_trigram_hdf5, save_trigram_hdf5
    from fastnn.data.generated.glyphs import generate_digits, generate_letters
    from fastnn.data.generated.markov import generate_trigrams
    from fastnn.data.generated.points import generate_blobs, generate_moons
    from fastnn.data.generated.shapes import generate_cats_vs_cars, generate_cifar10
    from fastnn.data.trigram import is_text, load_trigram
else:
    _modules = {
        "catalogue": ("find_data",),
        "download": ("data_folder", "fetch"),
        "formats.cats_hdf5": ("load_cats_vs_cars", "save_cats_vs_cars"),
        "formats.cifar": ("load_cifar10", "save_cifar10"),
        "formats.idx": ("load_idx", "read_idx", "save_idx", "write_idx"),
        "formats.npz": ("load_npz", "save_npz"),
        "formats.text": ("load_text",),
        "formats.trigram_hdf5": ("load_trigram_hdf5", "save_trigram_hdf5"),
        "generated.glyphs": ("generate_digits", "generate_letters"),
        "generated.markov": ("generate_trigrams",),
        "generated.points": ("generate_blobs", "generate_moons"),
        "generated.shapes": ("generate_cats_vs_cars", "generate_cifar10"),
        "trigram": ("is_text", "load_trigram"),
    }
    _later = {name: module for module, names in _modules.items() for name in names}
    _missing = _missing_from(__name__, __all__)
    __dir__ = _completed_by(__all__)

    def __getattr__(name):
        """What `_later` has, imported now; AttributeError, with a hint, for others."""
        return getattr(import_module(f"fastnn.data.{_later[name]}"), name) if name in _later else _missing(name)
