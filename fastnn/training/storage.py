"""Models and training states on disk: one HDF5 file, written whole or not at all, checked when read.

Layout, version 1: the root's attributes `format`, `version` and `sha256`; `config`, a JSON text with
network, dtype, seed, epoch and meta; the groups `parameters` and `buffers` with one dataset per public
name; in a checkpoint also `training`, a tree of groups, arrays and JSON texts. (Texts are datasets,
because HDF5 limits an attribute to 64 KiB.)
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.errors import FileFormatError
from fastnn.common.files import atomic_path
from fastnn.common.hdf5 import hdf5_errors, open_hdf5

if TYPE_CHECKING:
    import h5py

    from fastnn.nn.losses import Loss
    from fastnn.training.model import Sequential

FORMAT, VERSION = "fastnn-model", 1


def save_model(path: str | Path, model: "Sequential", training: Mapping[str, Any] | None = None) -> None:
    """Write `model`, and with `training` (nested dicts of arrays and plain values) a checkpoint."""
    import h5py

    config = {
        "network": model.network.config(),
        "dtype": model.dtype.name,
        "seed": model.seed,
        "epoch": model.epoch,
        "meta": model.meta,
    }
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        file.create_dataset("config", data=json.dumps(config))
        _write_tree(file.create_group("parameters"), model.parameters)
        _write_tree(file.create_group("buffers"), model.buffers)
        if training is not None:
            _write_tree(file.create_group("training"), training)
        file.attrs["sha256"] = _digest(file)


def load(path: str | Path, *, loss: "str | Loss | None" = None) -> "Sequential":
    """The model that `save` or a Checkpoint wrote; `loss` in the place of its own.

    FileFormatError if the file is missing or damaged.
    """
    model, _ = load_checkpoint(path, loss)
    return model


def load_checkpoint(path: str | Path, loss: "str | Loss | None" = None) -> tuple["Sequential", dict[str, Any]]:
    """The model and the `training` tree ({} if the file holds a model alone)."""
    from fastnn.nn import losses
    from fastnn.nn.network import Network
    from fastnn.training.model import Sequential

    with _opened(path) as file:
        _check(file, path)
        config = _read_item(file["config"])
        state = {group: _read_tree(file[group]) for group in ("parameters", "buffers")}
        training = _read_tree(file["training"]) if "training" in file else {}
    given = None if loss is None else losses.get(loss)
    # A config that does not fit its arrays makes the layers raise errors of fastnn, too: here they mean a bad file.
    with hdf5_errors(f"{path}: no model can be built from what it holds", passing=FileFormatError):
        model = Sequential.of(Network.from_config(config["network"], given), dtype=config["dtype"], seed=config["seed"])
        for group, block in (("parameters", model.parameters), ("buffers", model.buffers)):
            if set(state[group]) != set(block):
                raise FileFormatError(f"{path}: holds {group} {sorted(state[group])}, expected {sorted(block)}")
        model.restore(state)
        model.epoch, model.meta = config["epoch"], dict(config["meta"])
    return model, training


@contextmanager
def _opened(path: str | Path) -> "Iterator[h5py.File]":
    """Open the file for reading within the block; FileFormatError if it is missing or damaged."""
    if not Path(path).is_file():
        raise FileFormatError(f"{path}: no such file; expected a model that fastnn saved")
    with open_hdf5(path, f"{path}: cannot be read as a model that fastnn saved") as file:
        yield file


def _check(file: "h5py.File", path: str | Path) -> None:
    if file.attrs.get("format") != FORMAT:
        raise FileFormatError(f"{path}: an HDF5 file, but not a model that fastnn saved (no format mark {FORMAT!r})")
    if file.attrs["version"] > VERSION:
        raise FileFormatError(f"{path}: format version {file.attrs['version']}, this fastnn reads up to {VERSION}")
    if file.attrs.get("sha256") != _digest(file):
        raise FileFormatError(f"{path}: checksum does not match; the file is damaged")


def _digest(file: "h5py.File") -> str:
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


def _write_tree(group: "h5py.Group", tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            _write_tree(group.create_group(name), value)
        elif isinstance(value, np.ndarray):
            group.create_dataset(name, data=value)
        else:
            group.create_dataset(name, data=json.dumps(value))


def _read_tree(group: "h5py.Group") -> dict[str, Any]:
    return {name: _read_item(item) for name, item in group.items()}


def _read_item(item: Any) -> Any:
    if not hasattr(item, "dtype"):
        return _read_tree(item)
    value = item[()]
    return json.loads(value) if isinstance(value, bytes) else value
