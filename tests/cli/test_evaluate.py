"""`fastnn evaluate`: what it prints."""

import csv
import io
import json

import h5py
import numpy as np
import pytest

import fastnn as fn
from tests.cli.predicted import said, words_model
from tests.small_data import WORDS


def test_evaluate(folder, capsys):
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


def test_evaluate_cats_by_labels(folder, capsys):
    got = json.loads(said(capsys, "evaluate", "cats.h5", "--data", "data/cats.h5", "--format", "json"))
    with h5py.File("data/cats.h5") as file:
        x, y = file["testims"][()], file["testlbls"][()].reshape(-1)
    found = fn.load("cats.h5").predict(x)[:, 0]
    assert got["test"]["accuracy"] == pytest.approx(np.mean((found > 0) == (y > 0)), abs=1e-12)
    assert got["test"]["samples"] == 30


def test_evaluate_words_in_another_order(folder, capsys):
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


def test_evaluate_a_text_with_the_model_s_words(folder, capsys):
    words_model(["the", "dog", "saw", ".", "cat"], tokenizer="text").save("book.h5")
    (folder / "a.txt").write_text("The dog saw the cat. The bird saw the dog. " * 60, "utf-8")
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
