"""HDF5 files as bytes in memory. A disk that fails cannot fail in the midst of the HDF5 library, which hides it.

A tree is a dict of dicts, arrays and plain values. Its groups are HDF5 groups, its arrays contiguous datasets, its
plain values datasets of JSON text. (Texts are datasets, because HDF5 limits an attribute to 64 KiB.)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.common.framed.skeleton import Skeleton
from fastnn.common.plain import plain

KINDS = "biufcS"
LARGEST = {"f": 8, "c": 16}  # bytes: a longdouble is another number on another machine
ALIGNMENT = {"alignment_threshold": 4096, "alignment_interval": 64}  # so that arrays in a file's bytes can be used
JSON = "json"

Tree = Mapping[str, Any]
Layout = dict[str, Any]  # a tree with [dtype, shape, offset] for each array, ["json", [bytes], offset] for each text


@dataclass(frozen=True)
class Text:
    """A dict that is one text, not a group; `what` messages call it."""

    value: Any
    what: str = ""


@dataclass(frozen=True)
class Image:
    """The bytes of an HDF5 file.

    pieces  one after the other; large ones are the arrays themselves, contiguous or not
    size    of all together
    layout  where in them the arrays are
    """

    pieces: list[Any]
    size: int
    layout: Layout


def image_of(tree: Tree, attributes: Tree) -> Image:
    """An HDF5 file that holds `tree`, with these attributes of its root. TypeError for what cannot be saved.

    The HDF5 library lays out the file, and never sees a number of an array.
    """
    import h5py

    arrays: list[tuple[np.ndarray, Any, list[Any]]] = []
    skeleton = Skeleton()
    with h5py.File(skeleton, "w", **ALIGNMENT) as file:
        file.attrs.update(attributes)
        layout = _write(file, tree, arrays)
        for array, dataset, entry in arrays:
            entry[2] = dataset.get_offset() or 0  # an array of no elements has no place
            assert array.size == 0 or entry[2], "HDF5 was told to find a place at once"
    placed = sorted(((entry[2], array) for array, _, entry in arrays), key=lambda at: at[0])
    return Image(skeleton.with_arrays(placed), skeleton.size, layout)


def _write(group: Any, tree: Tree, arrays: list[tuple[np.ndarray, Any, list[Any]]]) -> Layout:
    layout: Layout = {}
    for name, value in tree.items():
        where = f"{group.name}/{name}".strip("/")
        if not isinstance(name, str):
            raise TypeError(f"{group.name.strip('/')} has the key {name!r}, which cannot be saved; expected strings")
        if isinstance(value, Mapping):
            layout[name] = _write(group.create_group(name), value, arrays)
            continue
        array, layout[name] = _leaf(value, where)
        arrays.append((array, _declared(group, name, array), layout[name]))
    return layout


def _leaf(value: Any, where: str) -> tuple[np.ndarray, list[Any]]:
    """The array that is stored for a value, and its entry in the layout, that lacks the offset."""
    if isinstance(value, np.ndarray):
        array = _checked(value, where)
        return array, [array.dtype.str, list(array.shape), 0]
    given = value if isinstance(value, Text) else Text(value)
    text = np.array(json_of(given.value, given.what or where).encode())
    return text, [JSON, [text.itemsize], 0]


def _declared(group: Any, name: str, array: np.ndarray) -> Any:
    """A contiguous dataset that has its place in the file, but no content."""
    from h5py import h5d, h5p, h5s, h5t

    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5d.FILL_TIME_NEVER)
    space = h5s.create_simple(array.shape) if array.shape else h5s.create(h5s.SCALAR)
    links = h5p.create(h5p.LINK_CREATE)
    links.set_create_intermediate_group(True)
    links.set_char_encoding(h5t.CSET_UTF8)
    return h5d.create(group.id, name.encode(), h5t.py_create(array.dtype, logical=True), space, properties, lcpl=links)


def _checked(array: np.ndarray, where: str) -> np.ndarray:
    dtype = array.dtype
    if dtype.kind not in KINDS or not 0 < dtype.itemsize <= LARGEST.get(dtype.kind, dtype.itemsize):
        raise TypeError(f"{where} holds what cannot be saved: an array of {dtype}; expected numbers of up to 64 bits")
    return np.asarray(array)


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
