"""Run by `child_process`, never imported: reads arrays of an HDF5 file for a process that does not trust it.

    python -I child.py FILE SECONDS FOLDER_OF_MODULES...

Each line of the input is a request, JSON; the answer is a line of JSON and then the bytes that it announces. A request
that takes more than its time or its memory ends the process. Nothing outside the file is opened.
"""

import itertools
import json
import math
import os
import signal
import sys

sys.path[:] = [*sys.path, *sys.argv[3:]]

import h5py  # noqa: E402  (it is found where the calling process finds it)
import numpy as np  # noqa: E402

SPARE = 64 << 20  # bytes of memory beside those that a request is told to take
SLOWEST = 10_000_000  # bytes a second
MOST_TEXT = 64 << 20  # bytes of all texts of an array
TEXTS = 4096  # read at a time
MOST_LINKS = 100  # on the way to an array: links by name can make circles
MOST_KEYS = 1000  # told in a message


class MissingError(Exception):
    """There is no such key."""


def array_of(file, key):
    """The object under a key, on the way to which no other file is opened."""
    at, rest, first = file, [part for part in key.split("/") if part], True
    for _ in range(MOST_LINKS):
        if not rest:
            return at
        name, *rest = rest
        if not isinstance(at, h5py.Group) or not at.id.links.exists(name.encode()):
            raise MissingError if first else KeyError("it is a link that leads nowhere")
        link = at.get(name, getlink=True)
        if isinstance(link, h5py.HardLink):
            at = at[name]
        elif isinstance(link, h5py.SoftLink):
            at, first = (file if link.path.startswith("/") else at), False
            rest = [part for part in link.path.split("/") if part] + rest
        else:
            raise KeyError("it is a link to another file")
    raise KeyError("its links have no end")


def describe(file, key):
    try:
        item = array_of(file, key)
    except MissingError:
        return {"kind": "missing", "keys": list(itertools.islice(file, MOST_KEYS))}
    except (KeyError, OSError) as error:
        return {"kind": "broken", "reason": str(error.args[0])}
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return {"kind": type(item).__name__.lower()}
    return {"kind": "array", **described(item)}


def described(item):
    properties = item.id.get_create_plist()
    if properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count():
        raise ValueError(f"{item.name!r} stands in another file, which is not opened")
    dtype = item.dtype
    is_text = h5py.check_string_dtype(dtype) is not None
    takes = dtype.kind in "iufbS"
    return {
        "shape": item.shape,
        "dtype": dtype.str if takes else None,
        "what": str(dtype),
        "is_text": is_text,
        "offset": place_of(item, dtype) if takes else None,
        "chunks": item.chunks,
        "is_packed": properties.get_nfilters() > 0,
    }


def place_of(item, dtype):
    """Where the bytes stand in the file, if they are there in one piece and as NumPy has them."""
    if not item.size or item.id.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS:
        return None
    return item.id.get_offset() if item.id.get_type() == h5py.h5t.py_create(dtype, logical=True) else None


def rows(file, key, first, last):
    item = array_of(file, key)
    out = np.empty((last - first, *item.shape[1:]), item.dtype)
    if out.size:
        item.read_direct(out, np.s_[first:last])
    return {}, [out.reshape(-1).view(np.uint8)]


def texts(file, key):
    item = array_of(file, key)
    found, size = [], 0
    for low in range(0, max(item.shape), TEXTS):
        part = np.s_[:, low : low + TEXTS] if item.shape[0] == 1 and item.ndim == 2 else np.s_[low : low + TEXTS]
        found += item[part].ravel().tolist()
        size += sum(map(len, found[low:]))
        if size > MOST_TEXT:
            raise ValueError(f"{key!r} holds more than {MOST_TEXT:,} bytes of text")
    return {"lengths": list(map(len, found))}, [b"".join(found)]


def answer(file, request):
    match request["ask"]:
        case "describe":
            return describe(file, request["key"]), []
        case "rows":
            return rows(file, request["key"], request["first"], request["last"])
        case "texts":
            return texts(file, request["key"])


def limit(seconds, count):
    """From now on this process ends after `seconds` seconds, and gets no more than `count` bytes of memory."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds += count // SLOWEST
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_REAL, 3 * seconds)  # waiting takes no time of the processor
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + 2 * count + SPARE, resource.RLIM_INFINITY))
    except (OSError, ValueError):  # no such limit on this system
        return


def no_limit():
    """No time runs while the other process takes its answer."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def write(piece):
    view = memoryview(piece).cast("B")
    while view:
        view = view[os.write(1, view) :]


def serve(path, seconds):
    file = None
    for line in sys.stdin:
        request = json.loads(line)
        limit(seconds, request["bytes"])
        try:
            if file is None:
                file = h5py.File(path, "r")
            head, pieces = answer(file, request)
        except Exception as error:  # h5py has no exception of its own for a damaged file
            head, pieces = {"error": " ".join(str(error).split()) or type(error).__name__}, []
        head["bytes"] = sum(len(piece) for piece in pieces)
        text = json.dumps(head).encode() + b"\n"
        no_limit()
        write(text)
        for piece in pieces:
            write(piece)


if __name__ == "__main__":
    status = 1
    try:
        serve(sys.argv[1], int(sys.argv[2]))
        status = 0
    finally:
        os._exit(status)  # a damaged file can make the library crash when it is closed
