"""HDF5 files as bytes in memory. A disk that fails cannot fail in the midst of the HDF5 library, which hides it.

A tree is a dict of dicts, arrays and plain values. Its groups are HDF5 groups, its arrays contiguous datasets, its
plain values datasets of JSON text. (Texts are datasets, because HDF5 limits an attribute to 64 KiB.)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.common.plain import plain

KINDS = "biufcS"
LARGEST = {"f": 8, "c": 16}  # bytes: a longdouble is another number on another machine
ALIGNMENT = {"alignment_threshold": 4096, "alignment_interval": 64}  # so that arrays in a file's bytes can be used
JSON = "json"

Tree = Mapping[str, Any]
Layout = dict[str, Any]  # a tree with [dtype, shape, offset] for each array, ["json", [bytes], offset] for each text


@dataclass(frozen=True)
class Text:
    """A dict that is one text, not a group."""

    value: Any


def image_of(tree: Tree, attributes: Tree, *, track_order: bool = False) -> tuple[bytes, Layout]:
    """The bytes of an HDF5 file that holds `tree`, with these attributes of its root, and where in them each array is.

    Each array's bytes in the image are compared with the array. TypeError for what cannot be saved.
    """
    import h5py

    arrays: list[tuple[np.ndarray, Any, list[Any]]] = []
    memory = {"driver": "core", "backing_store": False, "block_size": 1 << 20}
    with h5py.File("memory", "w", track_order=track_order, **memory, **ALIGNMENT) as file:
        file.attrs.update(attributes)
        layout = _write(file, tree, arrays)
        for array, dataset, entry in arrays:
            entry[2] = dataset.id.get_offset() or 0  # an array of no elements has no place
        file.flush()
        image = file.id.get_file_image()
    for array, _, (_, _, offset) in arrays:
        flat = array.reshape(-1).view(np.uint8)
        if not np.array_equal(np.frombuffer(image, np.uint8, flat.size, offset), flat):
            raise RuntimeError(f"the HDF5 library has not kept an array of shape {array.shape}")
    return image, layout


def _write(group: Any, tree: Tree, arrays: list[tuple[np.ndarray, Any, list[Any]]]) -> Layout:
    layout: Layout = {}
    for name, value in tree.items():
        where = f"{group.name}/{name}".strip("/")
        if not isinstance(name, str):
            raise TypeError(f"{group.name.strip('/')} has the key {name!r}, which cannot be saved; expected strings")
        if isinstance(value, Mapping):
            layout[name] = _write(group.create_group(name), value, arrays)
            continue
        if isinstance(value, np.ndarray):
            array = _checked(value, where)
            layout[name] = [array.dtype.str, list(array.shape), 0]
        else:
            array = np.array(json_of(value.value if isinstance(value, Text) else value, where).encode())
            layout[name] = [JSON, [array.itemsize], 0]
        arrays.append((array, group.create_dataset(name, data=array), layout[name]))
    return layout


def _checked(array: np.ndarray, where: str) -> np.ndarray:
    dtype = array.dtype
    if dtype.kind not in KINDS or not 0 < dtype.itemsize <= LARGEST.get(dtype.kind, dtype.itemsize):
        raise TypeError(f"{where} holds what cannot be saved: an array of {dtype}; expected numbers of up to 64 bits")
    return np.asarray(array, order="C")


def json_of(value: Any, where: str) -> str:
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
