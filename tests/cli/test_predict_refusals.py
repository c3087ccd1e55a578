"""What `fastnn predict` says of files, arrays and commands that are wrong."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import fastnn as fn
from tests.cli.predicted import GREY, best, refused, want_of, write_words
from tests.small_data import WORDS


def png(width, height, pixels=b""):
    """A PNG file that declares a size, whatever it holds."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def text_bomb():
    """A PNG file whose text unpacks to 100 MB."""
    packed = b"a\0\0" + zlib.compress(bytes(100_000_000), 9)
    chunk = struct.pack(">I", len(packed)) + b"zTXt" + packed + struct.pack(">I", zlib.crc32(b"zTXt" + packed))
    whole = png(28, 28, bytes(29 * 28))
    return whole[:33] + chunk + whole[33:]


WHOLE = png(28, 28, b"\0" + bytes(28) * 1 + (b"\0" + bytes(28)) * 27)


# Name of the file -> its bytes, the model that it is given to, and what is said.
BAD_FILES = {
    "empty.png": (b"", "digits.h5", "'empty.png' is empty"),
    "small.png": (png(10, 12, bytes(11 * 12)), "digits.h5", "is 10×12 pixels, this model takes 28×28: give --resize"),
    "none.png": (b"hello", "digits.h5", "is no PNG or JPEG file: it begins with b'hello'"),
    "cut.png": (WHOLE[:-30], "digits.h5", "no picture can be read from it"),
    "head.png": (WHOLE[:20], "digits.h5", "no picture can be read from it"),
    "broken.png": (WHOLE[:45] + b"xxxx" + WHOLE[49:], "digits.h5", "no picture can be read from it"),
    "bomb.png": (png(60_000, 60_000), "digits.h5", "could be decompression bomb"),
    "text.png": (text_bomb(), "digits.h5", "no picture can be read from it"),
    "cut.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "digits.h5", "no picture can be read from it"),
    "bare.png": (WHOLE, "bare.h5", "the model has no preprocessing"),
    "points.png": (WHOLE, "points.h5", "the model has no preprocessing"),
    "words.png": (WHOLE, "words.h5", "is a picture, this model takes 3 words"),
    "three.csv": (b"1,2,3\n", "points.h5", "line 1 has 3 columns, this model takes 2"),
    "one.csv": (b"1,2\n1\n", "points.h5", "line 2 has 1 column, this model takes 2"),
    "named.csv": (b"a,b\n1,red\n", "points.h5", "line 2, column 2 is 'red', expected a finite number"),
    "mixed.csv": (b"1,red\n", "points.h5", "line 1, column 2 is 'red', expected a finite number"),
    "nan.csv": (b"1,2\n1,nan\n", "points.h5", "line 2, column 2 is 'nan'"),
    "hole.csv": (b"1,\n", "points.h5", "line 1, column 2 is ''"),
    "quote.csv": (b'1,"2\n', "points.h5", "no CSV"),
    "head.csv": (b"a,b\n", "points.h5", "holds no samples, expected lines of 2 numbers"),
    "nul.csv": (b"1,\0", "points.h5", "is no plain text"),
    "latin.csv": (b"1,\xe9", "points.h5", "is no UTF-8 text"),
    "empty.csv": (b"", "points.h5", "'empty.csv' is empty"),
    "empty.txt": (b"", "words.h5", "'empty.txt' is empty"),
    "blank.txt": (b"\n \n", "words.h5", "holds no words"),
    "few.txt": (b"word01 word02 word03\nword01\n", "words.h5", "'few.txt', line 2 has 1 word, expected 3"),
    "other.txt": (b"word01 word02 wrod03\n", "words.h5", "line 1: the word 'wrod03' is not among the 12"),
    "none.npz": (b"PK\x03\x04", "digits.h5", "is no .npz archive or damaged"),
    "text.npz": (b"hello", "digits.h5", "is no .npz archive or damaged"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_are_none(folder, capsys, name):
    content, model, want = BAD_FILES[name]
    (folder / name).write_bytes(content)
    assert want in refused(capsys, folder, "predict", model, name)
    if model == "digits.h5":  # all files are read before any is told of
        refused(capsys, folder, "predict", "digits.h5", "0.png", name)


def test_a_bomb_is_not_unpacked_to_be_resized(folder, capsys):
    for side in (12_000, 60_000):  # Pillow warns of the first, and refuses the second
        (folder / "bomb.png").write_bytes(png(side, side))
        assert "bomb" in refused(capsys, folder, "predict", "digits.h5", "bomb.png", "--resize")


def test_the_whole_picture_of_these_tests_is_read(folder, capsys):
    (folder / "whole.png").write_bytes(WHOLE)
    assert (
        best(capsys, "digits.h5", "whole.png")["whole.png"]
        == want_of("digits.h5", np.zeros((1, 28, 28), np.uint8), 3)[0]
    )


def test_deep_pixels(folder, capsys):
    Image.fromarray(np.zeros((28, 28), np.uint16)).save("deep.png")
    assert "more than 8 bits" in refused(capsys, folder, "predict", "digits.h5", "deep.png")


BAD_ARRAYS = {
    "another size": ({"x": np.zeros((2, 20, 20))}, "has shape (2, 20, 20), expected (N, 28, 28)"),
    "no samples": ({"x": np.zeros((0, 28, 28))}, "is empty"),
    "a number": ({"x": np.float64(1)}, "a single number"),
    "other keys": ({"a": np.zeros(1), "b": np.zeros(1)}, "has keys a, b; expected samples called x, images, x_test"),
    "nan": ({"x": np.full((1, 28, 28), np.nan)}, "is nan"),
    "text": ({"x": np.array(["a"])}, "shape"),
    "objects": ({"x": np.array([None])}, "pickled"),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_arrays_that_are_no_pictures(folder, capsys, name):
    arrays, want = BAD_ARRAYS[name]
    np.savez("a.npz", **arrays)
    assert want in refused(capsys, folder, "predict", "digits.h5", "a.npz")


BAD_COMMANDS = {
    "missing": (["predict", "digits.h5", "no.png"], "'no.png' does not exist"),
    "missing text": (["predict", "words.h5", "no.txt"], "'no.txt' does not exist"),
    "a word with a slash": (["predict", "words.h5", "word01/word02"], "if it is words, add --text"),
    "pictures as text": (["predict", "digits.h5", "0.png", "--text"], "--text is for language models"),
    "folder": (["predict", "digits.h5", "data"], "'data' is a folder"),
    "no model": (["predict", "no.h5", "0.png"], "no.h5: no such file"),
    "folder of no run": (["predict", "data", "0.png"], "no such file; expected a run's folder"),
    "nothing given": (["predict", "digits.h5"], "FILE|WORDS"),
    "one word": (["predict", "words.h5", "word01", "word02", "word03"], "put quotes around them"),
    "unknown word": (["predict", "words.h5", "word01 word02 wrod03"], "did you mean"),
    "top": (["predict", "digits.h5", "0.png", "--top", "0"], "--top"),
    "form": (["predict", "digits.h5", "0.png", "--format", "xml"], "xml"),
    "no data": (["evaluate", "digits.h5"], "--data"),
    "no file": (["evaluate", "digits.h5", "--data", "no.npz"], "'no.npz' does not exist"),
    "a picture": (["evaluate", "digits.h5", "--data", "0.png"], "0.png"),
    "no system": (["evaluate", "bare.h5", "--data", "data/grey.npz"], "names no system"),
    "other pictures": (["evaluate", "digits.h5", "--data", "data/colour.npz"], "expected grey square ones"),
    "other words": (["evaluate", "words.h5", "--data", "other.h5"], "'words' holds 'else', which is not among the 12"),
    "a class that was never seen": (["evaluate", "digits.h5", "--data", "eleven.npz"], "label 10 at row 1"),
    "another size": (["evaluate", "digits.h5", "--data", "small.npz"], "has shape (2, 20, 20), expected (N, 28, 28)"),
    "earlier": (["evaluate", "earlier.h5", "--data", "data/grey.npz"], "was saved by an earlier fastnn"),
}


@pytest.mark.parametrize("name", BAD_COMMANDS)
def test_bad_commands(folder, capsys, name):
    arguments, want = BAD_COMMANDS[name]
    np.savez("eleven.npz", images=GREY[:2], labels=np.array([9, 10]))
    np.savez("small.npz", images=GREY[:2, :20, :20], labels=np.array([0, 1]))
    earlier = fn.Sequential([fn.Dense(10)], input_shape=784)
    earlier.meta["recipe"] = "mnist-mlp"
    earlier.save("earlier.h5")
    write_words("other.h5", [*WORDS[:-1], "else"])
    assert want in refused(capsys, folder, *arguments)
