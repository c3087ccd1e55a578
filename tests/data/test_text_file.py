"""Texts that stay on the disk: the same n-grams as in memory, streams of them, and files that cannot be written."""

import errno
import itertools
import os

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError, FileFormatError
from fastnn.data.formats import text_ids, text_to_ids
from fastnn.data.windows import Windows
from fastnn.text import corpus

BOOK = "The cat sat on the mat. A dog, old and odd, sat on the cat!\n\nIs a cat no dog?\nNo. " * 40
KINDS = "words", "characters", "bytes"
ENDS = "punctuation", "lines", "none"


OPEN = []


def load_text(*paths, **given):
    OPEN.append(fn.data.load_text(*paths, **given))
    return OPEN[-1]


@pytest.fixture(autouse=True)
def closed():
    yield
    for data in OPEN:
        for split in data.splits().values():
            if isinstance(split.y, fn.H5Stream):
                split.y.close()
    OPEN.clear()


class Held:
    """Ids in memory that are read like those of a file."""

    def __init__(self, ids):
        self.ids, self.dtype = np.array(ids, np.uint16), np.dtype(np.uint16)
        self.shape, self.row_bytes, self.chunk_rows = self.ids.shape, 2, 1

    def __len__(self):
        return len(self.ids)

    def read(self, first, last):
        return self.ids[first:last].copy()

    def part(self, first, last):
        return Held(self.ids[first:last])


@pytest.fixture
def book(tmp_path):
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    return tmp_path / "book.txt"


def grams(split):
    return in_memory(split.part(0, len(split)) if not split.is_streamed else split.drawn(len(split)))


def in_memory(split):
    return [(*map(int, x), int(y)) for x, y in zip(split.x, split.y, strict=True)]


@pytest.mark.parametrize(("width", "end"), [*itertools.product([1, 2, 3, 7], [9, None])])
def test_windows_are_those_before_each_id_of_its_sentence(width, end):
    ids = np.random.default_rng(width).choice([1, 2, 3, 9], 40, p=[0.3, 0.2, 0.2, 0.3])
    stream, want = Windows(ids if width == 2 else Held(ids), width, 8, end), []
    for i in range(len(ids)):
        before = [8] * width + ids[:i].tolist()
        last = max((n for n, one in enumerate(before) if one == end), default=-1)
        want.append([8 if n <= last else one for n, one in enumerate(before)][-width:])
    assert stream.shape == (40, width)
    for first, last in itertools.combinations_with_replacement(range(0, 41, 4), 2):
        np.testing.assert_array_equal(stream.read(first, last), np.reshape(want[first:last], (-1, width)))
        part = stream.part(first, last)
        assert len(part) == last - first
        np.testing.assert_array_equal(part.read(0, len(part)), np.reshape(want[first:last], (-1, width)))
    with pytest.raises(DataError, match="rows 3 to 50 of windows were asked for, expected 0 to 40"):
        stream.read(3, 50)


@pytest.mark.parametrize(("kind", "ends", "order"), [*itertools.product(KINDS, ENDS, [2, 4])])
def test_a_file_has_the_n_grams_of_memory(book, kind, ends, order, monkeypatch):
    """All of them, whichever split they are in; with files for each split, just those."""
    monkeypatch.setattr(corpus, "PIECE_BYTES", 100)
    monkeypatch.setattr(text_ids, "BLOCK", 64)
    monkeypatch.setattr(text_to_ids, "DRAWN_TOGETHER", 8)
    given = {"min_count": 1, "kind": kind, "sentences_end": ends, "order": order}
    want, found = load_text(book, **given), load_text(book, ids_file=book.with_suffix(".h5"), **given)
    assert {*found.meta["words"]} == {*want.meta["words"]}
    for name in ("tokenizer", "different", "tokens", "coverage", "kept", "encodings"):
        assert found.meta[name] == want.meta[name], name
    assert sum(part["tokens"] for part in found.meta["parts"].values()) == found.meta["tokens"]
    if ends != "none":  # else the splits are other parts of the text
        named = [
            sorted(tuple(one.meta["words"][i] for i in gram) for split in one.splits().values() for gram in of(split))
            for one, of in ((want, in_memory), (found, grams))
        ]
        assert named[0] == named[1]
    (book.parent / "val.txt").write_text("A mat sat on the odd dog. No, no.\nThe end", encoding="utf-8")
    given |= {"val": book.parent / "val.txt", "test": [book.parent / "val.txt"]}
    want, found = load_text(book, **given), load_text(book, ids_file=book.with_suffix(".h5"), **given)
    for name, split in found.splits().items():
        assert grams(split) == in_memory(want.splits()[name])
    assert {**found.meta, "ids_file": 0, "asked": 0} == {**want.meta, "ids_file": 0, "asked": 0}


def test_texts_in_memory_beside_a_file_of_ids(book):
    """The file is made again for other ones."""
    given = {"ids_file": book.with_suffix(".h5"), "min_count": 1}
    val = ["A mat sat on the odd dog. No, no.", "The end"]
    for number, text in enumerate(val):
        book.with_name(f"val{number}.txt").write_text(text, encoding="utf-8")
    paths = [book.with_name(f"val{number}.txt") for number in range(2)]
    want = load_text(book, ids_file=book.with_name("b.h5"), min_count=1, val=paths, test=paths[0])
    for _ in range(2):
        found = load_text(book, val_texts=val, test_texts=val[0], **given)
        assert {name: grams(split) for name, split in found.splits().items()} == {
            name: grams(split) for name, split in want.splits().items()
        }
    other = load_text(book, val_texts=[val[0], "The dog."], test_texts=val[0], **given)
    assert grams(other.val) != grams(found.val)


def test_sentences_are_dealt_by_fractions(book):
    book.write_text(BOOK * 10, encoding="utf-8")
    data = load_text(book, ids_file=book.with_suffix(".h5"), min_count=1)
    sizes = {name: part["sentences"] / data.meta["sentences"] for name, part in data.meta["parts"].items()}
    assert 0.75 < sizes["train"] < 0.85
    assert 0.05 < sizes["val"] < 0.15
    again = load_text(book, ids_file=book.with_name("b.h5"), min_count=1)
    other = load_text(book, ids_file=book.with_name("c.h5"), min_count=1, seed=1)
    assert grams(again.test) == grams(data.test) != grams(other.test)
    with_val = load_text(book, ids_file=book.with_name("d.h5"), min_count=1, val=book)
    assert with_val.meta["parts"]["val"]["sentences"] == data.meta["sentences"]
    assert with_val.meta["twice"] == [
        f"{str(book)!r} is both training and validation text: figures on it say nothing of new text"
    ]


def test_held_out_text_is_bounded(book, monkeypatch):
    monkeypatch.setattr(text_to_ids, "HELD_OUT_BYTES", len(BOOK) // 40)
    data = load_text(book, ids_file=book.with_suffix(".h5"), min_count=1)
    assert data.meta["parts"]["train"]["tokens"] > 0.9 * data.meta["tokens"]


def test_a_file_is_used_again_while_the_text_stays_the_same(book):
    path = book.with_suffix(".h5")
    given = {"ids_file": path, "min_count": 1}
    tokens = load_text(book, **given).meta["tokens"]
    first = path.stat().st_ino, path.read_bytes()
    assert load_text(book, order=6, **given).train.x.shape[1] == 5
    assert (path.stat().st_ino, path.read_bytes()) == first
    book.write_text(BOOK + "And more.", encoding="utf-8")
    assert load_text(book, **given).meta["tokens"] == load_text(book, order=6, **given).meta["tokens"] == tokens + 3
    load_text(book, **(given | {"lower": False}))
    with open(path, "r+b") as file:
        file.truncate(3000)
    with pytest.raises(FileFormatError, match=r"book\.h5'"):
        load_text(book, **given)


def test_a_file_that_is_none_of_ids_stays(book):
    before = book.read_bytes()
    with pytest.raises(FileFormatError, match=r"book.txt' is not an HDF5 file"):
        load_text(book, ids_file=book)
    assert book.read_bytes() == before
    fn.data.save_trigram_hdf5(book.with_suffix(".h5"), fn.data.generate_trigrams(20, 5, 5))
    with pytest.raises(FileFormatError, match=r"book\.h5' has no key 'about'"):
        load_text(book, ids_file=book.with_suffix(".h5"))


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        (b"", {}, "is too small: found 0 tokens"),
        (
            b"word",
            {"min_count": 1},
            "is too small: found training 0, validation 0, test 1 tokens",
        ),
        (b"a\0b", {}, "is no plain text: byte 1 is zero"),
        (b"\x89PNG\r\n\x1a\n\x03\xff", {}, "is no plain text: byte 8 is 0x03"),
        (BOOK.encode(), {"words": ["the", "cat"]}, "the vocabulary lacks <unk>, <s> or </s>"),
        (
            BOOK.encode(),
            {"vocabulary_size": 3},
            "vocabulary_size=3, expected at least 4",
        ),
        (BOOK.encode(), {"ids_file": "absent/a.h5"}, "cannot write 'absent/a.h5' in folder .*: No such file"),
        (BOOK.encode(), {"ids_file": "."}, "cannot write '.': it is a folder|is a folder"),
        (BOOK.encode(), {"val": "absent.txt"}, "'absent.txt' does not exist"),
        (BOOK.encode(), {"test": "empty"}, "'empty' is a folder without files"),
    ],
)
def test_bad_input_is_one_line(book, monkeypatch, text, given, said):
    monkeypatch.chdir(book.parent)
    os.mkdir("empty")
    book.write_bytes(text)
    with pytest.raises((DataError, FileFormatError), match=said) as caught:
        load_text("book.txt", **({"ids_file": "a.h5"} | given))
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir()) == ["book.txt", "empty"]


def test_a_vocabulary_larger_than_the_text(book):
    data = load_text(book, 10_000, min_count=1, ids_file=book.with_suffix(".h5"))
    assert len(data.meta["words"]) == data.meta["different"] + 3


@pytest.mark.parametrize("where", ["spool", "file"])
def test_a_full_disk(book, monkeypatch, where):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(text_ids, "write_all" if where == "spool" else "write_sections", full)
    with pytest.raises(FileFormatError, match=r"cannot write .*book\.h5' in folder .*: No space left on device"):
        load_text(book, ids_file=book.with_suffix(".h5"))
    assert os.listdir(book.parent) == ["book.txt"]


def test_a_file_that_vanishes_or_grows_while_it_is_read(book, monkeypatch):
    begin = corpus.TextFile.begin

    def vanishing(self):
        found = begin(self)
        book.unlink()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(corpus.TextFile, "begin", vanishing)
        with pytest.raises(FileFormatError, match=r"book\.txt' does not exist"):
            load_text(book, ids_file=book.with_suffix(".h5"))
    book.write_text(BOOK, encoding="utf-8")
    found = corpus.encoding_of

    def growing(read, where):
        encoding = found(read, where)
        book.write_text(BOOK + "b", encoding="utf-8")
        return encoding

    monkeypatch.setattr(corpus, "encoding_of", growing)
    with pytest.raises(FileFormatError, match=r"book\.txt' had .* bytes, then .*: it is being written"):
        load_text(book, ids_file=book.with_suffix(".h5"), sentences_end="lines")


class Interrupt(fn.Callback):
    """Raises within the second epoch, as if the process had ended there."""

    every = 1

    def on_batch_end(self, run):
        if (run.epoch, run.step) == (1, 8):
            raise InterruptedError


def trained(data, threads, epochs=2, callbacks=(), model=None):
    words = len(data.meta["words"])
    layers = [fn.Embedding(words, 4), fn.Flatten(), fn.Dense(8, "tanh"), fn.SampledSoftmax(words, samples=4)]
    model = model or fn.Sequential(layers, input_shape=(3,))
    with fn.threads(threads):
        model.fit(data.train.x, data.train.y, epochs=epochs, batch_size=50, callbacks=callbacks, verbose=False)
    return model


def test_training_from_a_file_has_the_same_bits_at_any_threads(book, monkeypatch):
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BUFFER_BYTES", 4000)
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BLOCK_BYTES", 400)
    data = load_text(book, min_count=1, ids_file=book.with_suffix(".h5"))
    one, two = (trained(data, threads).predict(data.test.x) for threads in (1, 2))
    assert one.tobytes() == two.tobytes()
    again = trained(data, 2, 1)
    assert trained(data, 2, 1, model=again).predict(data.test.x).tobytes() == one.tobytes()
    saved = fn.Checkpoint(book.with_name("c.h5"), resume=True, every=3)
    with pytest.raises(InterruptedError):
        trained(data, 2, callbacks=[saved, Interrupt()])
    assert trained(data, 1, callbacks=[saved]).predict(data.test.x).tobytes() == one.tobytes()
