"""What goes to other processes as bytes: a user's function with its data, by value where cloudpickle is installed."""

import functools
import hashlib
import pickle
import re
import uuid
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from fastnn.common.errors import FastnnError
from fastnn.training.callbacks import Callback

# Dask brings the first, joblib the second. Functions of scripts and notebooks go by value: their text is sent along.
PICKLERS = ("cloudpickle", "joblib.externals.cloudpickle")


def packed(thing: Any) -> bytes:
    """The thing as bytes, which differ at each call: a process that outlives a sweep takes it for a new one.

    FastnnError, in one line, for what cannot be sent, such as a generator.
    """
    pickler = _pickler()
    thing = uuid.uuid4().hex, thing
    try:
        return pickler(thing) if pickler else pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        hint = "" if pickler else '; functions of a notebook, and lambdas, need joblib: pip install "fastnn[sweep]"'
        raise FastnnError(f"cannot be sent to other processes: {' '.join(str(error).split())}{hint}") from None


def _pickler() -> Callable[[Any], bytes] | None:
    for name in PICKLERS:
        try:
            return import_module(name).dumps
        except ImportError:
            continue
    return None


def opened(shared: Any) -> Any:
    """What `Pool.shared` was given: each process unpacks the last one once."""
    return _unpacked(shared) if isinstance(shared, Path | bytes) else shared


@functools.lru_cache(maxsize=1)
def _unpacked(shared: Path | bytes) -> Any:
    return pickle.loads(shared if isinstance(shared, bytes) else shared.read_bytes())[1]


def digest(*things: Any) -> str:
    """12 letters that change with the code of functions, the bytes of arrays and the texts of all else."""
    found = hashlib.sha256()
    for thing in things:
        _add(found, thing)
    return found.hexdigest()[:12]


def _add(found: Any, thing: Any) -> None:
    if hasattr(thing, "__array__"):
        array = np.asarray(thing)
        found.update(f"{array.dtype.str}{array.shape}".encode())
        plain = array.dtype != object and array.size
        found.update(np.ascontiguousarray(array).view(np.uint8).data if plain else repr(array.tolist()).encode())
    elif isinstance(thing, dict):
        for name, value in thing.items():
            found.update(f"{name}=".encode())
            _add(found, value)
    elif isinstance(thing, tuple | list):
        found.update(f"{len(thing)}:".encode())
        for one in thing:
            _add(found, one)
    elif isinstance(thing, FunctionType):
        cells = [cell.cell_contents for cell in thing.__closure__ or ()]
        _add(found, [_of_code(thing.__code__), thing.__defaults__, thing.__kwdefaults__, cells])
    elif is_dataclass(thing) and not isinstance(thing, type):
        given = {one.name: getattr(thing, one.name) for one in fields(thing) if one.init}
        _add(found, [type(thing).__qualname__, given])
    elif isinstance(thing, Callback):
        _add(found, [type(thing).__qualname__, vars(thing)])
    elif isinstance(thing, functools.partial):
        _add(found, [thing.func, thing.args, thing.keywords])
    else:
        found.update(_text(thing).encode())


def _text(thing: Any) -> str:
    """What tells a thing from others, in this process and in the next one: without addresses."""
    text = repr(thing)
    if " at 0x" in text:
        text = f"{type(thing).__qualname__} {getattr(thing, '__dict__', '')}"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def _of_code(code: CodeType) -> str:
    consts = [_of_code(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return f"{code.co_code.hex()} {consts} {code.co_names}"
