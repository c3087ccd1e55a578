"""`fastnn predict` and `fastnn evaluate`: what they print, and what they say of files that are none."""

import csv
import io
import json
import os
import shutil
import struct
import sys
import zlib

import h5py
import numpy as np
import pytest
from PIL import Image

import fastnn as fn
from fastnn.cli import main
from tests.small_data import WORDS, write_all

CLASSES = [f"class {i}" for i in range(10)]


def pictures_model(shape=(28, 28), flat=True, classes=10, meta=None, **pixels):
    described = fn.Pixels(shape, divide=255, flat=flat, **pixels)
    layers = [fn.Dense(classes)] if flat else [fn.Conv2D(2, 3), fn.Flatten(), fn.Dense(classes)]
    model = fn.Sequential(layers, input_shape=described.made_shape, preprocessing=described)
    model.meta = {"classes": CLASSES[:classes]} | (meta or {})
    return model


def cats_model():
    pixels = fn.Pixels((32, 32), divide=255, targets=(-1, 1))
    model = fn.Sequential(
        [fn.Flatten(), fn.Dense(1, "tanh")],
        input_shape=(32, 32, 1),
        loss="mse",
        metrics=[("accuracy", "sign_accuracy")],
        preprocessing=pixels,
    )
    model.meta = {"recipe": "cats-vs-cars", "classes": ["cat", "car"]}
    return model


def words_model(words=WORDS, **keywords):
    made = fn.Words(words, **keywords)
    layers = [fn.Embedding(len(words), 2), fn.Flatten(), fn.Dense(len(words))]
    model = fn.Sequential(layers, input_shape=(3,), preprocessing=made, seed=1)
    model.meta = {"recipe": "trigram"}
    return model


def points_model():
    model = fn.Sequential([fn.Dense(4, "tanh"), fn.Dense(2)], input_shape=(2,), dtype="float64")
    model.meta = {"recipe": "moons", "classes": ["0", "1"]}
    return model


MODELS = {
    "digits.h5": lambda: pictures_model(meta={"recipe": "mnist-mlp"}),
    "conv.h5": lambda: pictures_model(flat=False),
    "colour.h5": lambda: pictures_model((32, 32, 3), meta={"recipe": "cifar10-mlp"}),
    "cats.h5": cats_model,
    "words.h5": words_model,
    "points.h5": points_model,
    "numbers.h5": lambda: fn.Sequential([fn.Dense(2)], input_shape=(3,), loss="mse"),
    "binary.h5": lambda: fn.Sequential([fn.Dense(1)], input_shape=(3,), loss="binary_cross_entropy"),
    "bare.h5": lambda: fn.Sequential([fn.Dense(10)], input_shape=(784,)),
}
GREY = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The models, and data of each system."""
    folder = tmp_path_factory.mktemp("models")
    for name, make in MODELS.items():
        make().save(folder / name)
    (folder / "data").mkdir()
    write_all(folder / "data")
    return folder


@pytest.fixture
def here(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    for i, one in enumerate(GREY):
        Image.fromarray(one).save(f"{i}.png")
    return tmp_path


def said(capsys, *arguments):
    """What a command prints; it must end well, and print nothing to stderr."""
    assert main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys, folder, *arguments):
    """The one line that a command says against its arguments; it leaves nothing behind."""
    before = sorted(os.listdir(folder))
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("fastnn: ")
    assert sorted(os.listdir(folder)) == before
    return err


def best(capsys, *arguments):
    """Sample -> [(label, number), ...], from JSON."""
    rows = json.loads(said(capsys, "predict", *arguments, "--format", "json"))
    return {row["sample"]: [tuple(answer.values()) for answer in row["predictions"]] for row in rows}


def want_of(model, x, count):
    found = fn.load(model).predict(x)
    order = np.argsort(-found, axis=1)[:, :count]
    return [[(CLASSES[i], float(row[i])) for i in ids] for row, ids in zip(found, order, strict=True)]


@pytest.mark.parametrize("model", ["digits.h5", "conv.h5"])
def test_pictures(here, capsys, model):
    got = best(capsys, model, "0.png", "1.png", "2.png", "--top", "4")
    assert got == dict(zip(["0.png", "1.png", "2.png"], want_of(model, GREY, 4), strict=True))


def test_arrays_and_tables(here, capsys):
    np.savez("a.npz", images=GREY, labels=np.zeros(3))
    np.savetxt("rows.csv", GREY.reshape(3, -1), "%d", ",")
    want = want_of("digits.h5", GREY, 3)
    assert list(best(capsys, "digits.h5", "a.npz", "rows.csv").values()) == [*want, *want]
    assert list(best(capsys, "digits.h5", "a.npz")) == ["a.npz[0]", "a.npz[1]", "a.npz[2]"]
    assert list(best(capsys, "digits.h5", "rows.csv")) == ["rows.csv:1", "rows.csv:2", "rows.csv:3"]


def test_text_is_columns_of_at_most_80(here, capsys):
    lines = said(capsys, "predict", "digits.h5", "0.png", "1.png", "2.png").splitlines()
    assert len({len(line) for line in lines}) == 1
    assert max(map(len, lines)) <= 80
    for line, row in zip(lines, want_of("digits.h5", GREY, 3), strict=True):
        name, *cells = line.split("  class")
        assert (name, len(cells)) == (line[:5], 3)
        assert all(f"{label} " in line and f"{100 * number:.2f} %" in line for label, number in row)
    os.rename("0.png", f"{'long' * 20}.png")
    (line,) = said(capsys, "predict", "digits.h5", f"{'long' * 20}.png").splitlines()
    assert line.startswith("…")
    assert "longlong.png  class" in line
    assert len(line) <= 80


def test_csv(here, capsys):
    rows = list(csv.reader(io.StringIO(said(capsys, "predict", "digits.h5", "0.png", "--top", "2", "--format", "csv"))))
    assert rows[0] == ["sample", "rank", "label", "probability"]
    (want,) = want_of("digits.h5", GREY[:1], 2)
    assert rows[1:] == [["0.png", str(i), label, str(number)] for i, (label, number) in enumerate(want, 1)]


def test_a_score_and_its_class(here, capsys):
    side = np.random.default_rng(1).integers(0, 256, (4, 32, 32), np.uint8)
    np.savez("x.npz", x=side)
    scores = fn.load("cats.h5").predict(side)[:, 0]
    got = list(best(capsys, "cats.h5", "x.npz").values())
    assert got == [[("car" if score > 0 else "cat", float(score))] for score in scores]
    assert len({label for ((label, _),) in got}) == 2, "the test needs both classes"
    assert said(capsys, "predict", "cats.h5", "x.npz", "--format", "csv").startswith("sample,rank,label,score\n")
    assert f"{scores[0]:.4g}" in said(capsys, "predict", "cats.h5", "x.npz").splitlines()[0]


def test_colour_and_grey(here, capsys):
    side = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(side).save("colour.png")
    assert best(capsys, "colour.h5", "colour.png")["colour.png"] == want_of("colour.h5", side[None], 3)[0]
    Image.fromarray(side[..., 0]).save("grey.png")
    want = want_of("colour.h5", np.repeat(side[None, ..., :1], 3, axis=3), 3)[0]
    assert best(capsys, "colour.h5", "grey.png")["grey.png"] == want
    flat = np.full((28, 28, 3), (10, 200, 30), np.uint8)
    Image.fromarray(flat).save("rgb.png")
    luma = round((10 * 299 + 200 * 587 + 30 * 114) / 1000)
    want = want_of("digits.h5", np.full((1, 28, 28), luma, np.uint8), 3)[0]
    assert best(capsys, "digits.h5", "rgb.png")["rgb.png"] == want


def test_what_is_transparent_is_black(here, capsys):
    picture = np.full((28, 28, 4), 255, np.uint8)
    picture[:14, :, 3] = 0
    Image.fromarray(picture).save("a.png")
    want = np.zeros((1, 28, 28), np.uint8)
    want[0, 14:] = 255
    assert best(capsys, "digits.h5", "a.png")["a.png"] == want_of("digits.h5", want, 3)[0]


def test_jpeg_and_resize(here, capsys):
    Image.fromarray(np.full((50, 40), 90, np.uint8)).save("a.JPG", "jpeg", quality=100)
    want = want_of("digits.h5", np.full((1, 28, 28), 90, np.uint8), 3)[0]
    assert best(capsys, "digits.h5", "a.JPG", "--resize")["a.JPG"] == want


def stdin(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_the_standard_input(here, capsys, monkeypatch):
    stdin(monkeypatch, (here / "1.png").read_bytes())
    assert best(capsys, "digits.h5", "-")["-"] == want_of("digits.h5", GREY[1:2], 3)[0]
    stdin(monkeypatch, b"0.5,1\n")
    assert list(best(capsys, "points.h5", "-")) == ["-:1"]
    stdin(monkeypatch, b"word01 word02 word03\n")
    assert list(best(capsys, "words.h5", "-")) == ["word01 word02 word03"]
    stdin(monkeypatch, b"")
    assert "the standard input is empty" in refused(capsys, here, "predict", "words.h5", "-")


def test_points(here, capsys):
    (here / "a.csv").write_text("x, y\n\n0.5, -1e-1\n 2,3\n", encoding="utf-8-sig")
    found = fn.load("points.h5").predict([[0.5, -0.1], [2, 3]])
    got = best(capsys, "points.h5", "a.csv")
    assert list(got) == ["a.csv:3", "a.csv:4"]
    assert [dict(row) for row in got.values()] == [{"0": a, "1": b} for a, b in found.tolist()]


def test_outputs_without_names(here, capsys):
    (here / "a.csv").write_text("1,2,3\n", "utf-8")
    values = fn.load("numbers.h5").predict([[1, 2, 3]])[0].tolist()
    assert best(capsys, "numbers.h5", "a.csv")["a.csv:1"] == [("output 0", values[0]), ("output 1", values[1])]
    p = float(fn.load("binary.h5").predict([[1, 2, 3]])[0, 0])
    assert dict(best(capsys, "binary.h5", "a.csv")["a.csv:1"])["1"] == p


def test_words(here, capsys):
    (here / "lines.txt").write_text("word01 word02 word03\n\nWORD04 word05 word06\n", "utf-8")
    one = said(capsys, "predict", "words.h5", "word01 word02 word03")
    assert len(one.splitlines()) == 10
    both = said(capsys, "predict", "words.h5", "lines.txt", "--top", "2").splitlines()
    assert [both[0], both[3]] == ["word01 word02 word03:", "WORD04 word05 word06:"]
    assert both[1:3] == one.splitlines()[:2]
    np.savez("ids.npz", x=np.array([[1, 2, 3]]))
    assert (
        best(capsys, "words.h5", "ids.npz")["ids.npz[0]"]
        == best(capsys, "words.h5", "word01 word02 word03").popitem()[1]
    )


def test_words_that_look_like_a_file(here, capsys):
    words_model([*WORDS[:-1], "and/or"], tokenizer="spaces").save("slash.h5")
    one_word = fn.Sequential(
        [fn.Embedding(2, 2), fn.Flatten(), fn.Dense(2)], input_shape=1, preprocessing=fn.Words(["and/or", "a.txt"])
    )
    one_word.save("one.h5")
    assert list(best(capsys, "one.h5", "and/or", "a.txt", "--text")) == ["and/or", "a.txt"]
    assert list(best(capsys, "slash.h5", "word01 word02 and/or")) == ["word01 word02 and/or"]


def test_names_cannot_move_the_cursor(here, capsys):
    model = pictures_model(meta={"classes": [f"\x1b[2J\n{i}" for i in range(10)]})
    model.save("evil.h5")
    out = said(capsys, "predict", "evil.h5", "0.png")
    assert "\x1b" not in out
    assert out.count("\n") == 1


@pytest.mark.parametrize("classes", [3, ["a"], [1] * 10, {"a": 1}, None], ids=str)
def test_classes_that_are_no_names(here, capsys, classes):
    pictures_model(meta={"classes": classes}).save("other.h5")
    assert {label for label, _ in best(capsys, "other.h5", "0.png", "--top", "10")["0.png"]} == set("0123456789")


def test_a_vocabulary_of_an_earlier_fastnn(here, capsys):
    model = words_model()
    model.preprocessing, model.meta["words"] = None, WORDS
    model.save("earlier.h5")
    assert said(capsys, "predict", "earlier.h5", "word01 word02 word03") == said(
        capsys, "predict", "words.h5", "word01 word02 word03"
    )


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
def test_files_that_are_none(here, capsys, name):
    content, model, want = BAD_FILES[name]
    (here / name).write_bytes(content)
    assert want in refused(capsys, here, "predict", model, name)
    if model == "digits.h5":  # all files are read before any is told of
        refused(capsys, here, "predict", "digits.h5", "0.png", name)


def test_a_bomb_is_not_unpacked_to_be_resized(here, capsys):
    for side in (12_000, 60_000):  # Pillow warns of the first, and refuses the second
        (here / "bomb.png").write_bytes(png(side, side))
        assert "bomb" in refused(capsys, here, "predict", "digits.h5", "bomb.png", "--resize")


def test_the_whole_picture_of_these_tests_is_read(here, capsys):
    (here / "whole.png").write_bytes(WHOLE)
    assert (
        best(capsys, "digits.h5", "whole.png")["whole.png"]
        == want_of("digits.h5", np.zeros((1, 28, 28), np.uint8), 3)[0]
    )


def test_deep_pixels(here, capsys):
    Image.fromarray(np.zeros((28, 28), np.uint16)).save("deep.png")
    assert "more than 8 bits" in refused(capsys, here, "predict", "digits.h5", "deep.png")


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
def test_arrays_that_are_no_pictures(here, capsys, name):
    arrays, want = BAD_ARRAYS[name]
    np.savez("a.npz", **arrays)
    assert want in refused(capsys, here, "predict", "digits.h5", "a.npz")


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
def test_bad_commands(here, capsys, name):
    arguments, want = BAD_COMMANDS[name]
    np.savez("eleven.npz", images=GREY[:2], labels=np.array([9, 10]))
    np.savez("small.npz", images=GREY[:2, :20, :20], labels=np.array([0, 1]))
    earlier = fn.Sequential([fn.Dense(10)], input_shape=784)
    earlier.meta["recipe"] = "mnist-mlp"
    earlier.save("earlier.h5")
    write_words("other.h5", [*WORDS[:-1], "else"])
    assert want in refused(capsys, here, *arguments)


def write_words(path, words):
    from tests.small_data import write_trigrams

    write_trigrams(path, words)


def test_several_outputs(here, capsys):
    x = fn.Input(2)
    fn.Model(x, {"a": fn.Dense(2)(x), "b": fn.Dense(2)(x)}).save("two.h5")
    (here / "a.csv").write_text("1,2\n", "utf-8")
    assert "the model has the outputs a, b" in refused(capsys, here, "predict", "two.h5", "a.csv")


def test_evaluate(here, capsys):
    out = said(capsys, "evaluate", "digits.h5", "--data", "data/grey.npz")
    model, lines = fn.load("digits.h5"), out.splitlines()
    with np.load("data/grey.npz") as arrays:
        want = {part: model.evaluate(arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")}
    assert lines[0].split() == ["samples", "loss", "accuracy"]
    assert lines[2].split() == [
        "test",
        "30",
        f"{want['test']['loss']:.4f}",
        f"{100 * want['test']['accuracy']:.2f}",
        "%",
    ]
    assert len({len(line) for line in lines}) == 1
    got = json.loads(said(capsys, "evaluate", "digits.h5", "--data", "data/grey.npz", "--format", "json"))
    assert got == {"train": {"samples": 90} | want["train"], "test": {"samples": 30} | want["test"]}
    rows = list(
        csv.reader(io.StringIO(said(capsys, "evaluate", "digits.h5", "--data", "data/grey.npz", "--format", "csv")))
    )
    assert rows[0] == ["split", "samples", "loss", "accuracy"]
    assert rows[1][:2] == ["train", "90"]


def test_evaluate_cats_by_labels(here, capsys):
    got = json.loads(said(capsys, "evaluate", "cats.h5", "--data", "data/cats.h5", "--format", "json"))
    with h5py.File("data/cats.h5") as file:
        x, y = file["testims"][()], file["testlbls"][()].reshape(-1)
    found = fn.load("cats.h5").predict(x)[:, 0]
    assert got["test"]["accuracy"] == pytest.approx(np.mean((found > 0) == (y > 0)), abs=1e-12)
    assert got["test"]["samples"] == 30


def test_evaluate_words_in_another_order(here, capsys):
    want = json.loads(said(capsys, "evaluate", "words.h5", "--data", "data/trigram.h5", "--format", "json"))
    shuffled = words_model()
    order = np.random.default_rng(0).permutation(len(WORDS))
    shuffled.preprocessing = fn.Words([WORDS[i] for i in order])
    arrays = fn.load("words.h5").parameters
    shuffled.set_parameters(
        {
            "embedding.w": arrays["embedding.w"][order],
            "dense.w": arrays["dense.w"][:, order],
            "dense.b": arrays["dense.b"][order],
        }
    )
    shuffled.save("shuffled.h5")
    got = json.loads(said(capsys, "evaluate", "shuffled.h5", "--data", "data/trigram.h5", "--format", "json"))
    assert got["test"]["accuracy"] == want["test"]["accuracy"]
    assert got["test"]["loss"] == pytest.approx(want["test"]["loss"], rel=1e-5)  # a softmax in another order


def test_evaluate_a_text_with_the_model_s_words(here, capsys):
    words_model(["the", "dog", "saw", ".", "cat"], tokenizer="text").save("book.h5")
    (here / "a.txt").write_text("The dog saw the cat. The bird saw the dog. " * 60, "utf-8")
    got = json.loads(said(capsys, "evaluate", "book.h5", "--data", "a.txt", "--format", "json"))
    # Of 3 + 3 four-grams of two sentences those with the bird are left out: 3 + 1 stay.
    assert sum(part["samples"] for part in got.values()) == 60 * 4
    data = fn.data.load_text("a.txt", words=["the", "dog", "saw", ".", "cat"])
    assert data.meta["words"] == ["the", "dog", "saw", ".", "cat"]
    assert {tuple(row) for row in np.concatenate([split.x for split in data.splits().values()])} == {
        (0, 1, 2),
        (1, 2, 0),
        (2, 0, 4),
        (2, 0, 1),
    }
