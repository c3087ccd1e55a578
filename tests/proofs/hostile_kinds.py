"""The kinds of files that `hostile_files` damages: good ones, how they are read, and how one is forged.

A forged file is right in what a check would find at once, such as checksums, and wrong in what it says.
"""

import contextlib
import csv
import gzip
import io
import json
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import h5py
import numpy as np

import fastnn as fn
from fastnn import data
from fastnn.common import file_pieces
from fastnn.common.framed import frame
from fastnn.data.hdf5.file import HDF5Array, HDF5File
from fastnn.experiment.run_files import SUMMARY, read_summary
from fastnn.experiment.summary import ComparedRun, Ending, Spread, Summary
from fastnn.experiment.sweep import owner_of
from fastnn.experiment.train_one import load_run, save_run
from fastnn.recipes import RECIPES
from fastnn.search.table import read_table
from fastnn.training.callbacks.monitor import load_monitor
from fastnn.training.models import storage
from tests.data_files import images, labels, small_set
from tests.frames import sealed
from tests.proofs.mutations import WORDS, forged_text, mutated
from tests.small_data import write_trigrams
from tests.tiny import fit, tiny_model


@dataclass(frozen=True)
class Kind:
    """name : of the file. make : writes a good one. read : what is called. forge : (content, rng) -> bytes.

    costly : whether each input starts a process; then there are a hundredth as many
    """

    name: str
    make: Callable
    read: Callable
    forge: Callable = mutated
    costly: bool = False


def forged_frame(content, rng):
    """Another index, or other numbers and texts, under a right digest."""
    start = frame.FIELDS.unpack_from(content)[3]
    match rng.randrange(3):
        case 0:
            return sealed(content[:start] + forged_text(content[start:].decode(), rng).encode("utf-8", "replace"))
        case 1:  # a text of JSON among the arrays; the length stays, or the offsets would all be wrong
            found = list(re.finditer(rb'\{"[ -~]{8,}\}', content[frame.BLOCK : start]))
            if found:
                one = rng.choice(found)
                low, high = one.start() + frame.BLOCK, one.end() + frame.BLOCK
                text = forged_text(one[0].decode(), rng).encode("utf-8", "replace")[: high - low].ljust(high - low)
                return sealed(content[:low] + text + content[high:])
    return sealed((frame.MARK + mutated(content[8:start], rng)).ljust(frame.BLOCK, b"\0") + content[start:])


def make_checkpoint(path):
    fit(tiny_model(), callbacks=[fn.Checkpoint(path)])


def resume(path):
    storage.read(path)
    fn.load(path)


def make_first_frame(path):
    """A model in the first version of the frame."""
    tiny_model().save(path)
    path.write_bytes(sealed(path.read_bytes(), 1))


def load_in_sections(path):
    """As if the file were large."""
    with mock.patch.object(file_pieces, "SECTION_BYTES", 300):
        fn.load(path)


def forged_in_sections(content, rng):
    with mock.patch.object(file_pieces, "SECTION_BYTES", 300):
        return forged_frame(content, rng)


def make_in_sections(path):
    with mock.patch.object(file_pieces, "SECTION_BYTES", 300):
        tiny_model().save(path)


def make_monitor(path):
    fit(tiny_model(), callbacks=[fn.Monitor(1, path)])


SETTINGS = next(iter(RECIPES.values())).with_settings({}, False)


def make_part(path):
    from fastnn.experiment.results import RunResult

    save_run(path, RunResult("a", SETTINGS, fit(tiny_model()), epochs=[{"loss": 1.0}], metrics={"loss": 1.0}))


def make_npz(path):
    np.savez_compressed(path, images=images(9, 4, 4), labels=labels(9))


def forged_npz(content, rng):
    """Members whose headers lie, under right sizes and checksums; or lies in the archive's table."""
    if rng.random() < 0.3:
        return mutated(content, rng)
    out = io.BytesIO()
    way = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", way) as new:
        for member in old.infolist():
            raw = old.read(member)
            length = struct.unpack_from("<H", raw, 8)[0]
            header, body = raw[10 : 10 + length].decode("latin1"), raw[10 + length :]
            if rng.random() < 0.7:
                words = [
                    *WORDS,
                    "'|O'",
                    "'<f8'",
                    "'>i2'",
                    "'|V3'",
                    "'<U4'",
                    "'|S0'",
                    "'<M8[s]'",
                    "True",
                    "(1,)",
                    "lambda: 0",
                ]
                header = forged_text(header, rng, words)
            if rng.random() < 0.3:
                body = mutated(body, rng) if body else body
            header = header.encode("latin1", "replace")[:65535]
            new.writestr(member.filename, raw[:8] + struct.pack("<H", len(header)) + header + body)
    return out.getvalue()


def make_idx(path):
    data.write_idx(path, images(9, 4, 4))


def forged_gzip(forge):
    """The unpacked bytes are forged, and packed with a right checksum."""

    def change(content, rng):
        with contextlib.suppress(zlib.error, EOFError, OSError):
            return gzip.compress(forge(gzip.decompress(content), rng), 1, mtime=0)
        return content

    return change


def either(*ways):
    return lambda content, rng: rng.choice(ways)(content, rng)


def make_cifar(path):
    folder = Path(f"{path}.folder")
    data.save_cifar10(folder, small_set(32, 32, 3))
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.add(folder, "cifar-10-batches-bin")


def forged_tar(content, rng):
    """Fields of a member's header, with the header's checksum."""
    out = bytearray(content)
    starts = [at for at in range(0, len(out), 512) if out[at + 257 : at + 262] == b"ustar"]
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.choice(starts)
        head = out[at : at + 512]
        low, width = rng.choice(
            ((0, 100), (124, 12), (124, 12), (156, 1), (157, 100), (345, 155), (136, 12), (265, 32))
        )
        values = (
            b"7" * 11,
            b"\x80" + b"\xff" * 11,
            b"\xff" * 12,
            b"0",
            b"-1",
            b"x",
            b"L",
            b"g",
            b"S",
            b"K",
            b"../../a",
            b"5",
        )
        head[low : low + width] = (rng.choice(values) if rng.random() < 0.8 else rng.randbytes(width))[:width].ljust(
            width, b"\0"
        )
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        out[at : at + 512] = head
    return bytes(out)


def make_text(path):
    words = [
        "the",
        "old",
        "man",
        "and",
        "the",
        "sea",
        ".",
        "he",
        "said:",
        "\"it's",
        "3.5",
        "--",
        "no...",
        "'well'!\"",
        "mr.",
        "smith",
        "went",
        "to",
        "st.",
        "ives?",
        "é",
        "ü",
        "ß",
        "你好",
    ]
    generator = np.random.default_rng(0)
    path.write_text("\n\n".join(" ".join(generator.choice(words, 12)) + "." for _ in range(60)), encoding="utf-8")


def forged_words(content, rng):
    """Long runs of what patterns look at."""
    text = bytearray(mutated(content, rng)) if rng.random() < 0.5 else bytearray(content)
    runs = (
        ".",
        "...mr.",
        "\u0301",
        "\u0345\u0301",
        "'",
        "a'",
        "\n\n ",
        "--",
        "1,",
        "\ufeff",
        "\u1100\u1161",
        '")',
        "İ",
        "ﷺ",
        "\U0001f468\u200d",
    )
    at = rng.randrange(len(text) + 1)
    text[at:at] = (rng.choice(runs) * rng.randrange(1, 3000)).encode()
    return bytes(text)


def load_words(path):
    data.load_text(path, vocabulary_size=8)


def make_table(path):
    columns = [
        "id",
        "status",
        "learning_rate",
        *(f"{part}_loss" for part in ("train", "val", "test")),
        "train_accuracy",
    ]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for i in range(5):
            writer.writerow(["trigram", "finished", 0.1 * i, 1.5, 1.6, 1.7, 0.5])


def load_table(path):
    read_table(path, owner_of(RECIPES["trigram"], "generated"))


def make_summary(path):
    run = ComparedRun("a", "b", "c", "d", {"lr": 0.1}, {"test_loss": 1.0}, 1, 2)
    ending = Ending(
        "a", {"test_loss": 1.0}, 1, 2, None, 0.5, 3.0, 0, [run, run], {"b": {"x": Spread(1.0, 2.0)}}, {"a.png": "A"}
    )
    summary = Summary(id="trigram", samples={"train": 3}, config={"lr": 0.1}, versions={"numpy": "2"}, ending=ending)
    path.write_text(json.dumps(summary.to_json()), "utf-8")


def load_summary(path):
    found = read_summary(path.parent)
    json.dumps(found.to_json())
    if found.ending:
        found.ending.comparisons()


def forged_json(content, rng):
    return forged_text(content.decode(), rng).encode("utf-8", "replace")


def make_plain(path):
    write_trigrams(path)


def load_plain(path):
    """Only what this process does itself: other arrays are not asked for, so that no process is started."""
    file = HDF5File(path)
    try:
        for key, described in file.plain.items():
            array = HDF5Array(file, key, described)
            array.check_written()
            if array.described.nbytes <= 1 << 20:
                array.read()
    finally:
        file.close()


def make_library(path):
    """What only the HDF5 library reads: words of any length, chunks, filters, the newest format."""
    write_trigrams(path)
    with h5py.File(path, "r") as old, h5py.File(f"{path}.new", "w", libver="latest") as new:
        for key in old:
            value = old[key][()]
            if key == "words":
                new.create_dataset(key, data=value.astype(object), dtype=h5py.string_dtype())
            else:
                new.create_dataset(
                    key, data=value, chunks=True, compression="gzip", shuffle=True, maxshape=(None,) * value.ndim
                )
    Path(f"{path}.new").replace(path)


def make_old_words(path):
    """The oldest format, with words of any length and one array in chunks."""
    write_trigrams(path)
    with h5py.File(path, "r+") as file:
        for key in ("words", "trainx"):
            value = file[key][()]
            del file[key]
            file.create_dataset(key, data=value.astype(object) if key == "words" else value, chunks=True)


def make_matlab(path):
    """As MATLAB 7.3 writes: 512 bytes of text before the file, arrays in chunks."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("x", data=np.arange(60.0).reshape(20, 3), chunks=(5, 3), compression="gzip")
        file["x"].attrs["MATLAB_class"] = np.bytes_("double")
    with open(path, "r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file")


def load_stream(path):
    with fn.H5Stream(path, "x") as rows:
        if rows.row_bytes * len(rows) < 1 << 24:
            rows.read(0, len(rows))


def make_unframed(path):
    """A model as it was saved before there was a frame."""
    from tests.system.test_hostile_models import write_old

    write_old(path, fit(tiny_model(seed=3)).saved())


KINDS = {
    "model": Kind(
        "model.h5", lambda path: tiny_model().save(path), fn.load, either(mutated, forged_frame, forged_frame)
    ),
    "checkpoint": Kind("c.h5", make_checkpoint, resume, either(mutated, forged_frame, forged_frame)),
    "first frame": Kind("f.h5", make_first_frame, fn.load, either(mutated, forged_frame, forged_frame)),
    "sections": Kind("s.h5", make_in_sections, load_in_sections, either(mutated, forged_in_sections)),
    "monitor": Kind("m.h5", make_monitor, load_monitor, either(mutated, forged_frame, forged_frame)),
    "part": Kind("p.h5", make_part, lambda path: load_run(path, "a", SETTINGS), forged_frame),
    "idx": Kind("a-idx", make_idx, data.read_idx),
    "idx.gz": Kind("a-idx.gz", make_idx, data.read_idx, either(mutated, forged_gzip(mutated))),
    "npz": Kind("a.npz", make_npz, lambda path: data.load_npz(path, tuple("abcdefghij")), either(mutated, forged_npz)),
    "cifar": Kind("a.tar", make_cifar, data.load_cifar10, either(mutated, forged_tar)),
    "text": Kind("a.txt", make_text, load_words, either(mutated, forged_words)),
    "csv": Kind("a.csv", make_table, load_table, either(mutated, forged_json)),
    "json": Kind(SUMMARY, make_summary, load_summary, either(mutated, forged_json, forged_json)),
    "plain hdf5": Kind("a.h5", make_plain, load_plain),
    "hdf5": Kind("b.h5", make_library, data.load_trigram, costly=True),
    "old hdf5": Kind("c.h5", make_old_words, data.load_trigram, costly=True),
    "matlab": Kind("a.mat", make_matlab, load_stream, costly=True),
    "unframed": Kind("u.h5", make_unframed, fn.load, costly=True),
}
