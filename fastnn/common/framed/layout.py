"""From a layout and bytes to a tree of arrays and plain values. Nothing that is read here is trusted."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.common.framed.image import JSON, KINDS, LARGEST

DTYPE = re.compile(rf"[<>|][{KINDS}][1-9]\d{{0,8}}")
DEEPEST = 32


def tree_of(layout: Any, content: np.ndarray) -> dict[str, Any]:
    """The tree that `image_of` was given. ValueError if the layout is none, or leaves the content.

    content : the file's bytes, uint8; arrays are views of it where they are aligned

    All arrays together have at most as many bytes as the content: a short file cannot ask for much memory.
    """
    return _Reader(content).group(layout, 0)


class _Reader:
    def __init__(self, content: np.ndarray):
        self.content, self.left = content, content.size

    def group(self, layout: Any, depth: int) -> dict[str, Any]:
        if not isinstance(layout, Mapping) or depth > DEEPEST:
            raise ValueError("its layout is no tree of arrays")
        return {
            name: self.group(item, depth + 1) if isinstance(item, Mapping) else self.leaf(item)
            for name, item in layout.items()
        }

    def leaf(self, entry: Any) -> Any:
        dtype, shape, offset = _checked(entry)
        if dtype == JSON:
            return json.loads(self.taken(offset, shape[0]).tobytes())
        kind = np.dtype(dtype)
        flat = self.taken(offset, math.prod(shape) * kind.itemsize)
        if kind.kind == "b" and flat.size and flat.max() > 1:
            raise ValueError("a truth value is neither 0 nor 1")
        array = flat.view(kind).reshape(shape)
        return array if array.flags.aligned else array.copy()

    def taken(self, offset: int, size: int) -> np.ndarray:
        self.left -= size
        if offset + size > self.content.size or self.left < 0:
            raise ValueError("an array is larger than the file")
        return self.content[offset : offset + size]


def _checked(entry: Any) -> tuple[str, tuple[int, ...], int]:
    """The dtype, shape and offset of a layout's entry. ValueError if they are none."""
    if isinstance(entry, list) and len(entry) == 3:
        dtype, shape, offset = entry
        if _is_dtype(dtype) and _are_lengths(shape) and _are_lengths([offset]) and (dtype != JSON or len(shape) == 1):
            return dtype, tuple(shape), offset
    raise ValueError(f"its layout has the entry {entry!r:.60}, expected dtype, shape and offset")


def _is_dtype(word: Any) -> bool:
    if not isinstance(word, str) or (word != JSON and not DTYPE.fullmatch(word)):
        return False
    return word == JSON or int(word[2:]) <= LARGEST.get(word[1], 1 << 30)


def _are_lengths(values: Any) -> bool:
    """Whether it is a list of whole numbers that NumPy takes as lengths."""
    return (
        isinstance(values, list)
        and len(values) <= 32
        and all(type(value) is int and 0 <= value < 1 << 48 for value in values)
    )
