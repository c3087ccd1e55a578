"""`fastnn predict`: what it prints."""

import csv
import io
import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

import fastnn as fn
from fastnn.cli import main
from tests.cli.predicted import GREY, best, pictures_model, refused, said, want_of, words_model
from tests.small_data import WORDS


@pytest.mark.parametrize("model", ["digits.h5", "conv.h5"])
def test_pictures(folder, capsys, model):
    got = best(capsys, model, "0.png", "1.png", "2.png", "--top", "4")
    assert got == dict(zip(["0.png", "1.png", "2.png"], want_of(model, GREY, 4), strict=True))


def test_arrays_and_tables(folder, capsys):
    np.savez("a.npz", images=GREY, labels=np.zeros(3))
    np.savetxt("rows.csv", GREY.reshape(3, -1), "%d", ",")
    want = want_of("digits.h5", GREY, 3)
    assert list(best(capsys, "digits.h5", "a.npz", "rows.csv").values()) == [*want, *want]
    assert list(best(capsys, "digits.h5", "a.npz")) == ["a.npz[0]", "a.npz[1]", "a.npz[2]"]
    assert list(best(capsys, "digits.h5", "rows.csv")) == ["rows.csv:1", "rows.csv:2", "rows.csv:3"]


def test_text_is_columns_of_at_most_80(folder, capsys):
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


def test_csv(folder, capsys):
    rows = list(csv.reader(io.StringIO(said(capsys, "predict", "digits.h5", "0.png", "--top", "2", "--format", "csv"))))
    assert rows[0] == ["sample", "rank", "label", "probability"]
    (want,) = want_of("digits.h5", GREY[:1], 2)
    assert rows[1:] == [["0.png", str(i), label, str(number)] for i, (label, number) in enumerate(want, 1)]


def test_a_score_and_its_class(folder, capsys):
    side = np.random.default_rng(1).integers(0, 256, (4, 32, 32), np.uint8)
    np.savez("x.npz", x=side)
    scores = fn.load("cats.h5").predict(side)[:, 0]
    got = list(best(capsys, "cats.h5", "x.npz").values())
    assert got == [[("car" if score > 0 else "cat", float(score))] for score in scores]
    assert len({label for ((label, _),) in got}) == 2, "the test needs both classes"
    assert said(capsys, "predict", "cats.h5", "x.npz", "--format", "csv").startswith("sample,rank,label,score\n")
    assert f"{scores[0]:.4g}" in said(capsys, "predict", "cats.h5", "x.npz").splitlines()[0]


def test_colour_and_grey(folder, capsys):
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


def test_what_is_transparent_is_black(folder, capsys):
    picture = np.full((28, 28, 4), 255, np.uint8)
    picture[:14, :, 3] = 0
    Image.fromarray(picture).save("a.png")
    want = np.zeros((1, 28, 28), np.uint8)
    want[0, 14:] = 255
    assert best(capsys, "digits.h5", "a.png")["a.png"] == want_of("digits.h5", want, 3)[0]


def test_jpeg_and_resize(folder, capsys):
    Image.fromarray(np.full((50, 40), 90, np.uint8)).save("a.JPG", "jpeg", quality=100)
    want = want_of("digits.h5", np.full((1, 28, 28), 90, np.uint8), 3)[0]
    assert best(capsys, "digits.h5", "a.JPG", "--resize")["a.JPG"] == want


def stdin(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_the_standard_input(folder, capsys, monkeypatch):
    stdin(monkeypatch, (folder / "1.png").read_bytes())
    assert best(capsys, "digits.h5", "-")["-"] == want_of("digits.h5", GREY[1:2], 3)[0]
    stdin(monkeypatch, b"0.5,1\n")
    assert list(best(capsys, "points.h5", "-")) == ["-:1"]
    stdin(monkeypatch, b"word01 word02 word03\n")
    assert list(best(capsys, "words.h5", "-")) == ["word01 word02 word03"]
    stdin(monkeypatch, b"")
    assert "the standard input is empty" in refused(capsys, folder, "predict", "words.h5", "-")


def test_points(folder, capsys):
    (folder / "a.csv").write_text("x, y\n\n0.5, -1e-1\n 2,3\n", encoding="utf-8-sig")
    found = fn.load("points.h5").predict([[0.5, -0.1], [2, 3]])
    got = best(capsys, "points.h5", "a.csv")
    assert list(got) == ["a.csv:3", "a.csv:4"]
    (folder / "b.csv").write_text("x; y\n0.5; -1e-1\n", encoding="utf-8")
    assert best(capsys, "points.h5", "b.csv")["b.csv:2"] == got["a.csv:3"]
    assert [dict(row) for row in got.values()] == [{"0": a, "1": b} for a, b in found.tolist()]


def test_columns_of_a_frame_are_found_by_their_names(folder, capsys):
    model = fn.load("numbers.h5")
    model.columns = {"x": ["age", "height", "weight"]}
    model.save("frame.h5")
    want = model.predict([[1, 2, 3]])[0].tolist()
    tables = {
        "in_order": "age,height,weight\n1,2,3\n",
        "other_order": "weight; age; height\n3; 1; 2\n",
        "no_names": "1,2,3\n",
    }
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
        (got,) = best(capsys, "frame.h5", f"{name}.csv").values()
        assert [value for _, value in got] == want
    (folder / "more.csv").write_text("id,weight,age,sex,height\nn. n.,3,1,f,2\n", "utf-8")
    assert main(["predict", "frame.h5", "more.csv", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert [one["value"] for one in json.loads(out)[0]["predictions"]] == want
    assert err == "'more.csv': not used by the model: id, sex\n"


def test_names_that_are_numbers_are_names(folder, capsys):
    model = fn.load("numbers.h5")
    model.columns = {"x": ["2024", "2025", "2026"]}
    model.save("frame.h5")
    (folder / "years.csv").write_text("2026,2024,2025\n3,1,2\n", "utf-8")
    ((name, row),) = best(capsys, "frame.h5", "years.csv").items()
    assert (name, [value for _, value in row]) == ("years.csv:2", model.predict([[1, 2, 3]])[0].tolist())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Age,height,weight\n1,2,3\n", "has no column 'age', which the frame of the training had; did you mean Age?"),
        ("age,weight,age,height\n1,3,1,2\n", "has two columns 'age', expected a name for each"),
        ("id,weight,age,height\nx,3,1\n", "line 2 has 3 columns, the line of names has more"),
        ("id,weight,age,height\nx,3,1,\n", "line 2, column 'height' is '', expected a finite number"),
    ],
)
def test_columns_of_a_frame_that_are_not_there(folder, capsys, text, message):
    model = fn.load("numbers.h5")
    model.columns = {"x": ["age", "height", "weight"]}
    model.save("frame.h5")
    (folder / "a.csv").write_text(text, "utf-8")
    assert message in refused(capsys, folder, "predict", "frame.h5", "a.csv")


def test_outputs_without_names(folder, capsys):
    (folder / "a.csv").write_text("1,2,3\n", "utf-8")
    values = fn.load("numbers.h5").predict([[1, 2, 3]])[0].tolist()
    assert best(capsys, "numbers.h5", "a.csv")["a.csv:1"] == [("output 0", values[0]), ("output 1", values[1])]
    p = float(fn.load("binary.h5").predict([[1, 2, 3]])[0, 0])
    assert dict(best(capsys, "binary.h5", "a.csv")["a.csv:1"])["1"] == p


def test_words(folder, capsys):
    (folder / "lines.txt").write_text("word01 word02 word03\n\nWORD04 word05 word06\n", "utf-8")
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


def test_words_that_look_like_a_file(folder, capsys):
    words_model([*WORDS[:-1], "and/or"], tokenizer="spaces").save("slash.h5")
    one_word = fn.Sequential(
        [fn.Embedding(2, 2), fn.Flatten(), fn.Dense(2)], input_shape=1, preprocessing=fn.Words(["and/or", "a.txt"])
    )
    one_word.save("one.h5")
    assert list(best(capsys, "one.h5", "and/or", "a.txt", "--text")) == ["and/or", "a.txt"]
    assert list(best(capsys, "slash.h5", "word01 word02 and/or")) == ["word01 word02 and/or"]


def test_names_cannot_move_the_cursor(folder, capsys):
    model = pictures_model(meta={"classes": [f"\x1b[2J\n{i}" for i in range(10)]})
    model.save("evil.h5")
    out = said(capsys, "predict", "evil.h5", "0.png")
    assert "\x1b" not in out
    assert out.count("\n") == 1


@pytest.mark.parametrize("classes", [3, ["a"], [1] * 10, {"a": 1}, None], ids=str)
def test_classes_that_are_no_names(folder, capsys, classes):
    pictures_model(meta={"classes": classes}).save("other.h5")
    assert {label for label, _ in best(capsys, "other.h5", "0.png", "--top", "10")["0.png"]} == set("0123456789")


def test_a_vocabulary_of_an_earlier_fastnn(folder, capsys):
    model = words_model()
    model.preprocessing, model.meta["words"] = None, WORDS
    model.save("earlier.h5")
    assert said(capsys, "predict", "earlier.h5", "word01 word02 word03") == said(
        capsys, "predict", "words.h5", "word01 word02 word03"
    )


def test_several_outputs(folder, capsys):
    x = fn.Input(2)
    fn.Model(x, {"a": fn.Dense(2)(x), "b": fn.Dense(2)(x)}).save("two.h5")
    (folder / "a.csv").write_text("1,2\n", "utf-8")
    assert "the model has the outputs a, b" in refused(capsys, folder, "predict", "two.h5", "a.csv")
