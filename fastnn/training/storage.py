"""Models and training states on disk, as plain data: one HDF5 file, written whole or not at all, checked when read.

Layout, version 1: the root's attributes `format`, `version` and `sha256`; `config`, a JSON text with
network, dtype, seed, epoch and meta; the groups `parameters` and `buffers` with one dataset per public
name; in a checkpoint also `training`, a tree of groups, arrays and JSON texts. (Texts are datasets,
because HDF5 limits an attribute to 64 KiB.)
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.common.errors import FileFormatError
from fastnn.common.files import atomic_path

FORMAT, VERSION = "fastnn-model", 1

# h5py has no error of its own for damaged bytes: what comes depends on which byte it is.
DAMAGE = (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, MemoryError)


@dataclass(frozen=True)
class Saved:
    """A model as plain data.

    config      network, dtype, seed, epoch, meta
    parameters, buffers  name -> array
    training    in a checkpoint: nested dicts of arrays and plain values; in a model's file None, or {} when read
    """

    config: dict[str, Any]
    parameters: Mapping[str, np.ndarray]
    buffers: Mapping[str, np.ndarray]
    training: Mapping[str, Any] | None = None


def save(path: str | Path, saved: Saved) -> None:
    """Write a model, or with `saved.training` a checkpoint. FileFormatError if the path cannot be written."""
    import h5py

    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        file.create_dataset("config", data=json.dumps(saved.config))
        _write_tree(file.create_group("parameters"), saved.parameters)
        _write_tree(file.create_group("buffers"), saved.buffers)
        if saved.training is not None:
            _write_tree(file.create_group("training"), saved.training)
        file.attrs["sha256"] = _digest(file)


def read(path: str | Path) -> Saved:
    """The model that a file holds. FileFormatError, in one line, if it is missing, damaged or no model."""
    with _opened(path) as file:
        _check(file, path)
        config, parameters, buffers = (_read_item(file[name]) for name in ("config", "parameters", "buffers"))
        training = _read_tree(file["training"]) if "training" in file else {}
    return Saved(config, parameters, buffers, training)


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """The file, to be read within the block; FileFormatError, in one line, for whatever goes wrong there."""
    import h5py

    if not Path(path).is_file():
        raise FileFormatError(f"{path}: no such file; expected a model that fastnn saved")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except FileFormatError:
        raise
    except DAMAGE as error:
        reason = " ".join(str(error).split())
        raise FileFormatError(f"{path}: cannot be read ({reason}); expected an HDF5 file that fastnn saved") from None


@contextmanager
def building(path: str | Path) -> Iterator[None]:
    """FileFormatError for whatever goes wrong while a model is built from a whole file that does not describe one."""
    try:
        yield
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None
    except DAMAGE as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise FileFormatError(f"{path}: no model can be built from what it holds ({reason})") from error


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
        if isinstance(value, Mapping):
            _write_tree(group.create_group(name), value)
        elif isinstance(value, np.ndarray):
            group.create_dataset(name, data=value)
        else:
            group.create_dataset(name, data=json.dumps(value))


def _read_tree(group: Any) -> dict[str, Any]:
    return {name: _read_item(item) for name, item in group.items()}


def _read_item(item: Any) -> Any:
    if not hasattr(item, "dtype"):
        return _read_tree(item)
    value = item[()]
    return json.loads(value) if isinstance(value, bytes) else value
