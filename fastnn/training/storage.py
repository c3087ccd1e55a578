"""Models and training states on disk, as plain data: one HDF5 file, written whole or not at all, checked when read.

Layout, version 2: the root's attributes `format`, `version` and `sha256`; `config`, a JSON text with network, dtype,
seed, epoch and meta; the groups `parameters` and `buffers` with one dataset per public name; in a checkpoint also
`training`, a tree of groups, arrays and JSON texts. (Texts are datasets, because HDF5 limits an attribute to 64 KiB.)
In version 1 the config calls the function of an `Activation` its name.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.common.errors import FileFormatError
from fastnn.common.files import atomic_path, check_readable
from fastnn.common.hdf5 import hdf5_errors, open_hdf5
from fastnn.common.plain import plain

FORMAT, VERSION = "fastnn-model", 2


@dataclass(frozen=True)
class Saved:
    """A model as plain data.

    config      network, dtype, seed, epoch, meta
    parameters, buffers  name -> array
    training    in a checkpoint: nested dicts of arrays and plain values; of a model alone {}
    file        where it was read from, for messages
    """

    config: dict[str, Any]
    parameters: Mapping[str, np.ndarray]
    buffers: Mapping[str, np.ndarray]
    training: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""


def save(path: str | Path, saved: Saved) -> None:
    """Write a model, or with `saved.training` a checkpoint. FileFormatError if the path cannot be written."""
    import h5py

    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        file.create_dataset("config", data=_json(saved.config, "the model's description or meta"))
        _write_tree(file.create_group("parameters"), saved.parameters)
        _write_tree(file.create_group("buffers"), saved.buffers)
        if saved.training:
            _write_tree(file.create_group("training"), saved.training)
        file.attrs["sha256"] = _digest(file)


def read(path: str | Path) -> Saved:
    """The model that a file holds. FileFormatError, in one line, if it is missing, damaged or no model."""
    with _opened(path) as file:
        _check(file, path)
        config, parameters, buffers = (_read_item(file[name]) for name in ("config", "parameters", "buffers"))
        training = _read_tree(file["training"]) if "training" in file else {}
    return Saved(config, parameters, buffers, training, str(path))


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """Open the file for reading within the block; FileFormatError if it is missing or damaged."""
    check_readable(path, "a model that fastnn saved")
    with open_hdf5(path, f"{path}: cannot be read as a model that fastnn saved") as file:
        yield file


def building(saved: Saved) -> AbstractContextManager[None]:
    """FileFormatError for whatever goes wrong in the block, in which a model is built from what a file holds.

    A config that does not fit its arrays makes layers raise errors of fastnn: here they mean a bad file.
    """
    return hdf5_errors(f"{saved.file}: no model can be built from what it holds", passing=FileFormatError)


def _check(file: Any, path: str | Path) -> None:
    if file.attrs.get("format") != FORMAT:
        raise FileFormatError(f"{path}: an HDF5 file, but not a model that fastnn saved (no format mark {FORMAT!r})")
    if file.attrs["version"] > VERSION:
        raise FileFormatError(f"{path}: format version {file.attrs['version']}, this fastnn reads up to {VERSION}")
    if file.attrs.get("sha256") != _digest(file):
        raise FileFormatError(f"{path}: checksum does not match; the file is damaged")


def _digest(file: Any) -> str:
    """SHA-256 over every dataset's name, dtype, shape and bytes, and every attribute but itself."""
    digest = hashlib.sha256()

    def add(name: str, item: Any) -> None:
        for key in sorted(item.attrs):
            if key != "sha256":
                digest.update(f"{name}@{key}={item.attrs[key]}\0".encode())
        if hasattr(item, "dtype"):
            value = item[()]
            digest.update(f"{name}:{item.dtype.str}{item.shape}\0".encode())
            digest.update(value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes())

    add("", file)
    names: list[str] = []
    file.visit(names.append)
    for name in sorted(names):
        add(name, file[name])
    return digest.hexdigest()


def _write_tree(group: Any, tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if not isinstance(name, str):
            raise TypeError(f"{group.name.strip('/')} has the key {name!r}, which cannot be saved; expected strings")
        if isinstance(value, Mapping):
            _write_tree(group.create_group(name), value)
        elif isinstance(value, np.ndarray):
            group.create_dataset(name, data=value)
        else:
            group.create_dataset(name, data=_json(value, f"{group.name}/{name}".strip("/")))


def _json(value: Any, where: str) -> str:
    """JSON of plain values, among which NumPy's numbers are Python's, and arrays are lists.

    TypeError names what cannot be saved, and `where` it is.
    """

    def of_other(item: Any) -> Any:
        if isinstance(item, np.ndarray) and item.dtype != object:
            return item.tolist()
        raise TypeError(f"{item!r:.60} ({type(item).__name__})")

    try:
        return json.dumps(plain(value), default=of_other)
    except (TypeError, ValueError) as error:  # ValueError: it holds itself
        raise TypeError(
            f"{where} holds what cannot be saved: {error}; expected numbers, texts, lists, dicts, arrays"
        ) from None


def _read_tree(group: Any) -> dict[str, Any]:
    return {name: _read_item(item) for name, item in group.items()}


def _read_item(item: Any) -> Any:
    if not hasattr(item, "dtype"):
        return _read_tree(item)
    value = item[()]
    return json.loads(value) if isinstance(value, bytes) else value
