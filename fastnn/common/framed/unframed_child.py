"""Run by `unframed`, never imported: reads an HDF5 file from its input, prints its arrays.

    python -I unframed_child.py SECONDS FOLDER_OF_MODULES... < FILE

It prints one line of JSON, {"format", "version", "layout"} as the index of a frame or {"error"}, then all arrays.
Only what fastnn wrote is taken: hard links, numbers and texts without filters, inside this file, no larger than it.
"""

import hashlib
import json
import os
import sys

sys.path[:] = [*sys.path, *sys.argv[2:]]

import h5py  # noqa: E402  (it is found where the calling process finds it)
import numpy as np  # noqa: E402

DEEPEST, MOST = 32, 100_000  # groups within groups, and objects: links can make circles
SPARE = 64 << 20  # bytes of memory beside those of the file


class Reader:
    def __init__(self, size):
        self.size, self.pieces, self.at, self.objects = size, [], 0, 0

    def group(self, group, depth=0):
        self.objects += len(group)
        if depth > DEEPEST or self.objects > MOST:
            raise ValueError("its groups have no end")
        return {name: self.item(group, name, depth) for name in group}

    def item(self, group, name, depth):
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{name!r} is a link, expected an array")
        item = group[name]
        if isinstance(item, h5py.Group):
            return self.group(item, depth + 1)
        if not isinstance(item, h5py.Dataset):
            raise ValueError(f"{name!r} is no array")
        return self.text(item) if h5py.check_string_dtype(item.dtype) else self.array(item)

    def text(self, item):
        check_storage(item)
        text = item[()]
        if not isinstance(text, bytes):
            raise ValueError(f"{item.name!r} is no text")
        return ["json", [len(text)], self.take(text)]

    def array(self, item):
        check_storage(item)
        if item.dtype.kind not in "biufc" or item.dtype.itemsize > 16 or item.dtype.fields:
            raise ValueError(f"{item.name!r} holds {item.dtype}, expected numbers")
        if item.nbytes > self.size or (item.nbytes and item.id.get_offset() is None):
            raise ValueError(f"{item.name!r} declares {item.nbytes:,} bytes, more than were written")
        value = np.ascontiguousarray(item[()])
        return [value.dtype.str, list(item.shape), self.take(value.tobytes())]

    def take(self, piece):
        self.pieces.append(piece)
        self.at += len(piece)
        if self.at > self.size:
            raise ValueError("its arrays have more bytes than the file")
        return self.at - len(piece)


def check_storage(item):
    """ValueError for what is not in one piece in this file, as filtered data never are. Looked at before it is read."""
    properties = item.id.get_create_plist()
    if item.shape is None or properties.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT):
        raise ValueError(f"{item.name!r} is not stored in one piece")
    if properties.get_external_count():
        raise ValueError(f"{item.name!r} stands in another file")


def digest_of(file):
    """SHA-256 over every dataset's name, dtype, shape and bytes, and every attribute but itself."""
    digest = hashlib.sha256()

    def add(name, item):
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


def opened(image):
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fapl_core(backing_store=False)
    access.set_file_image(image)
    return h5py.File(h5py.h5f.open(b"memory", h5py.h5f.ACC_RDONLY, fapl=access))


def read(image):
    file = opened(image)
    about = {name: plain(file.attrs.get(name)) for name in ("format", "version")}
    reader = Reader(len(image))
    layout = reader.group(file) if about["format"] else {}
    has_digest = "sha256" in file.attrs or about["format"] == "fastnn-model"
    if has_digest and file.attrs.get("sha256") != digest_of(file):
        raise ValueError("checksum does not match; the file is damaged")
    return about | {"layout": layout}, reader.pieces


def plain(value):
    return value if isinstance(value, str) else int(value) if isinstance(value, np.integer) else None


def limit(seconds, size):
    try:
        import resource
    except ImportError:  # Windows: the calling process ends this one when its time is over
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        most = now + 6 * size + SPARE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (OSError, ValueError):  # no such limit on this system
        return


def main():
    limit(int(sys.argv[1]), os.fstat(0).st_size)
    try:
        about, pieces = read(sys.stdin.buffer.read())
        answer = json.dumps(about)
    except Exception as error:  # h5py has no exception of its own for a damaged file
        answer, pieces = json.dumps({"error": " ".join(str(error).split()) or type(error).__name__}), []
    with os.fdopen(1, "wb") as out:
        out.write(answer.encode() + b"\n")
        for piece in pieces:
            out.write(piece)
    os._exit(0)  # a damaged file can make the library crash when it is closed


if __name__ == "__main__":
    main()
