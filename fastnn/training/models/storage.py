"""Models and training states on disk, as plain data: a file, written whole or not at all, checked when read.

Layout, version 4: `config`, a JSON text with network, dtype, seed, epoch, meta and, if there are any, preprocessing and
columns, the names of those of the frames it was trained on; `parameters` and `buffers` with one array per public name;
`preprocessing` with its arrays, if it has any; in a checkpoint also `training`, a tree of dicts, arrays and plain
values. `common.framed` says how a file holds that. In version 3 there was no preprocessing. Versions 1 and 2 are HDF5
files without a frame and with a digest of their own. In version 1 the config calls the function of an `Activation` its
name.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.common.errors import FileFormatError
from fastnn.common.framed import frame
from fastnn.common.framed.image import Text
from fastnn.common.hdf5 import hdf5_errors
from fastnn.common.validation import path_of

KIND = frame.Kind("fastnn-model", 4, "a model that fastnn saved")
PARTS = ("config", "parameters", "buffers", "training", "preprocessing")
CONFIG = {"network": dict, "dtype": str, "seed": int, "epoch": int, "meta": dict}

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Saved:
    """A model as plain data.

    config      network, dtype, seed, epoch, meta, and preprocessing and columns if there are any
    parameters, buffers  name -> array
    training    in a checkpoint: nested dicts of arrays and plain values; of a model alone {}
    preprocessing  the arrays of the preprocessing
    file        where it was read from, for messages
    """

    config: dict[str, Any]
    parameters: Mapping[str, np.ndarray]
    buffers: Mapping[str, np.ndarray]
    training: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Mapping[str, np.ndarray] = field(default_factory=dict)
    file: str = ""


def save(path: str | Path, saved: Saved) -> None:
    """Write a model, or with `saved.training` a checkpoint. FileFormatError if the path cannot be written."""
    path = path_of("path", path)
    tree: dict[str, Any] = {
        "config": Text(saved.config, "the model's description or meta"),
        "parameters": saved.parameters,
        "buffers": saved.buffers,
    }
    further = {"training": saved.training, "preprocessing": saved.preprocessing}
    frame.save(path, KIND, tree | {name: part for name, part in further.items() if part})


def read(path: str | Path) -> Saved:
    """The model that a file holds. FileFormatError, in one line, if it is missing, damaged or no model."""
    path = path_of("path", path)
    tree, _ = frame.load(path, KIND)
    return checked(Saved(**{name: tree.get(name, {}) for name in PARTS}, file=str(path)))


def checked(saved: Saved) -> Saved:
    """What a file holds, unchanged. FileFormatError unless its config has all entries and its arrays are in groups."""
    with building(saved.file):
        _check_config(saved.config)
        if not all(isinstance(getattr(saved, part), dict) for part in PARTS[1:]):
            raise TypeError("its arrays are in no groups")
    return saved


def building(file: str) -> AbstractContextManager[None]:
    """FileFormatError for whatever goes wrong in the block, in which a model is built from what `file` holds.

    A config that does not fit its arrays makes layers raise errors of fastnn: here they mean a bad file.
    """
    return hdf5_errors(f"{file}: no model can be built from what it holds", passing=FileFormatError)


def check_arrays(saved: Saved, parameters: Shapes, buffers: Shapes, dtype: np.dtype) -> None:
    """FileFormatError unless a file has arrays of exactly these names and shapes, of floats.

    Looked at before a model is made: its description may ask for any amount of memory.
    """
    for kind, found, expected in (
        ("parameters", saved.parameters, parameters),
        ("buffers", saved.buffers, buffers),
    ):
        if set(found) != set(expected):
            raise FileFormatError(f"{saved.file}: holds {kind} {sorted(found)}, expected {sorted(expected)}")
        for name, shape in expected.items():
            check_array(f"{saved.file}: {name!r}", found[name], shape, dtype)


def check_array(name: str, array: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """FileFormatError unless it is an array of this shape and dtype."""
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        told = f"{array.shape} {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
        raise FileFormatError(f"{name} is {told}, expected {shape} {dtype}")


def _check_config(config: Any) -> None:
    """TypeError or ValueError unless it has all entries, each of its type."""
    if not isinstance(config, dict):
        raise TypeError(f"config is {type(config).__name__}, expected a dict")
    for name, kind in CONFIG.items():
        if type(config[name]) is not kind:
            raise TypeError(f"{name} is {config[name]!r:.60}, expected {kind.__name__}")
    if config["epoch"] < 0 or config["dtype"] not in ("float32", "float64"):
        raise ValueError(f"epoch {config['epoch']}, dtype {config['dtype']!r:.60}; expected ≥ 0, float32 or float64")
