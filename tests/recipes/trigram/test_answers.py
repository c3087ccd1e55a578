"""What trigram answers beside its trainings: first epochs, orders of words, softmax, vectors that are given."""

import json
from pathlib import Path

import numpy as np
import pytest

from fastnn.cli import main
from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import load_trigram
from fastnn.data.formats.word_vectors import load_word_vectors
from fastnn.experiment.results import RunResult
from fastnn.recipes import RECIPES
from fastnn.recipes.trigram.answers import told_against_none, told_gaps, told_speed
from fastnn.recipes.trigram.checks import SCORES, softmax_answer
from fastnn.text.kneser_ney import KneserNey
from tests.small_data import write_trigrams
from tests.tiny import jit_only

RECIPE = RECIPES["trigram"]
WORDS = ["he", "she", "The", "they", "was", "are"]


def run(losses=(), **metrics):
    return RunResult("", None, epochs=[{"val_loss": loss} for loss in losses], metrics=metrics)


def trained(tmp_path, monkeypatch, *flags):
    """summary.json of a small training, its answers by name."""
    monkeypatch.chdir(tmp_path)
    write_trigrams(tmp_path / "words.h5", WORDS)
    small = ("--sizes", "4x8", "--batch-size", "20", "--threads", "1")
    assert main(["train", "trigram", "--data", "words.h5", *small, *flags]) == 0
    summary = json.loads(Path("runs/trigram/summary.json").read_text(encoding="utf-8"))
    return summary, {answer["name"]: answer for answer in summary["answers"]}


@jit_only
def test_the_training_set_is_evaluated_after_the_first_epochs_alone(tmp_path, monkeypatch):
    _, answers = trained(tmp_path, monkeypatch, "--epochs", "10", "--patience", "10", "--compare", "none")
    rows = answers["first-epochs"]["tables"][0]["rows"]
    assert [row["label"] for row in rows] == [f"epoch {number}" for number in range(1, 9)]
    assert all(row["here"].keys() == row["report"].keys() == {"train_accuracy", "test_accuracy"} for row in rows)
    lines = Path("runs/trigram/history.csv").read_text(encoding="utf-8").splitlines()
    column = lines[0].split(",").index("train_accuracy")
    assert [bool(line.split(",")[column]) for line in lines[1:]] == [True] * 8 + [False] * 2
    # A row that the report has and this run has not made holds the report's figures alone.
    few = ("--epochs", "2", "--compare", "none", "--samples", "30", "--fresh")
    _, answers = trained(tmp_path, monkeypatch, *few)
    assert ", on 30 training and " in answers["first-epochs"]["question"]
    assert answers["first-epochs"]["tables"][0]["rows"], "the table is there"


@jit_only
def test_counts_stand_beside_the_net(tmp_path, monkeypatch):
    summary, answers = trained(tmp_path, monkeypatch, "--epochs", "2", "--compare", "none")
    (table,) = answers["counts"]["tables"]
    rows = {row["label"]: row["here"] for row in table["rows"]}
    assert list(rows) == ["counted words", "counted pairs", "counted 4-grams", "the net", "net and counts"]
    for split in ("val", "test"):
        assert rows["the net"][f"{split}_loss"] == pytest.approx(summary["metrics"][f"{split}_loss"], rel=1e-5)
    best = min(rows["the net"]["val_loss"], rows["counted 4-grams"]["val_loss"])
    assert rows["net and counts"]["val_loss"] <= best + 1e-5, "the weight is found to 1e-6"
    model = KneserNey(windows_of("words.h5", "train"), len(WORDS))
    want = -np.log(model.probabilities(windows_of("words.h5", "test"))).mean()
    assert rows["counted 4-grams"]["test_loss"] == pytest.approx(want, rel=1e-12)
    assert rows["counted 4-grams"]["test_perplexity"] == pytest.approx(np.exp(want), rel=1e-12)


def windows_of(path, split):
    found = getattr(load_trigram(path), split)
    return np.column_stack([found.x, found.y])


@jit_only
def test_a_sum_knows_no_order_of_words(tmp_path, monkeypatch):
    flags = ("--epochs", "2", "--initializer", "xavier", "--compare", "combine")
    _, answers = trained(tmp_path, monkeypatch, *flags)
    (table,) = answers["order"]["tables"]
    assert len(table["rows"]) == 6
    assert list(table["rows"][0]["here"]) == ["side by side", "summed"], "nets of the comparison, none of its own"
    assert len({row["here"]["summed"] for row in table["rows"]}) == 1
    assert answers["order"]["lines"][1].startswith("summed: another order of the same words changes the most likely")
    assert " for 0 % of " in answers["order"]["lines"][1]
    furthest = [float(line.rstrip(".").split()[-1]) for line in answers["order"]["lines"]]
    assert furthest[1] < 1e-5 < 1e-3 < furthest[0]


def test_softmax_at_the_numbers_where_it_matters():
    (table,) = softmax_answer().tables
    found = dict(zip(SCORES, (row.here for row in table.rows), strict=True))
    assert found[1, 2, 3]["as_written"] == found[1, 2, 3]["less_the_max"] == "0.6652"
    assert found[86, 87, 88]["as_written"] == "0.6652", "e^88 is less than the largest float32"
    for scores in list(SCORES)[2:]:
        assert found[scores]["as_written"] == "nan"
        assert found[scores]["less_the_max"] != "nan"
        assert np.isfinite(float(found[scores]["log-softmax"]))
    assert found[1e38, 2e38, 3e38]["log-softmax"] == "2e+38"
    assert {here["min-max"] for here in found.values()} == {"0.5065"}


def test_what_is_told_of_runs():
    runs = {
        "none": run((3.0, 2.0), train_accuracy=0.5, val_accuracy=0.4, val_loss=2.0),
        "l2": run((2.5, 1.9), train_accuracy=0.4, val_accuracy=0.45, val_loss=1.9),
        "slow": run((4.0, 3.5), train_accuracy=0.2, val_accuracy=0.2, val_loss=3.5),
    }
    assert (
        told_gaps(runs)[1] == "Training accuracy minus validation accuracy, in points: none +10.0, l2 -5.0, slow +0.0."
    )
    assert told_speed(runs)[1] == ("A validation loss of 2.00 is reached: none in epoch 2, l2 in epoch 2, slow never.")
    assert told_against_none(runs)[2] == "Validation loss against none: l2 -0.100, slow +1.500."
    assert told_speed({"only": runs["none"]}) == []


VECTORS = np.arange(12.0).reshape(6, 2)


def test_vectors_as_an_array(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS)
    ids, vectors = load_word_vectors(tmp_path / "v.npy", WORDS, 2)
    np.testing.assert_array_equal(ids, range(6))
    np.testing.assert_array_equal(vectors, VECTORS)


def test_vectors_by_words(tmp_path):
    np.savez(tmp_path / "v.npz", words=["other", "they", "the"], vectors=VECTORS[:3])
    (tmp_path / "v.txt").write_text("3 2\nother x y\nthey 2 3\n\nthe 4 5\n", encoding="utf-8")
    for name in ("v.npz", "v.txt"):
        ids, vectors = load_word_vectors(tmp_path / name, WORDS, 2)
        np.testing.assert_array_equal(ids, [2, 3], "The is found as the")
        np.testing.assert_array_equal(vectors, [[4, 5], [2, 3]])


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        ("v.txt", b"he 1 2 3\n", DataError, "the vector of 'he' has 3 numbers, expected 2, the width of the embedding"),
        ("v.txt", b"he 1 x\n", FileFormatError, "line 1 does not hold numbers after 'he'"),
        ("v.txt", b"he 1 nan\n", DataError, "not finite"),
        ("v.txt", b"nobody 1 2\n", DataError, "a vector for none of the 6 words"),
        ("v.txt", b"he \xff 2\n", FileFormatError, "UTF-8"),
        ("v.txt", b"", DataError, "a vector for none"),
        ("v.npy", b"he 1 2", FileFormatError, "cannot be read as an array"),
        ("v.npz", b"PK\x03\x04", FileFormatError, "an archive of 'words' and 'vectors'"),
    ],
)
def test_bad_vectors(tmp_path, name, content, kind, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=message):
        load_word_vectors(tmp_path / name, WORDS, 2)


def test_arrays_that_do_not_fit(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS.T)
    with pytest.raises(DataError, match=r"shape \(2, 6\), expected \(6, 2\)"):
        load_word_vectors(tmp_path / "v.npy", WORDS, 2)
    np.savez(tmp_path / "keys.npz", vectors=VECTORS)
    with pytest.raises(FileFormatError, match="'words' and 'vectors'"):
        load_word_vectors(tmp_path / "keys.npz", WORDS, 2)
    np.savez(tmp_path / "lengths.npz", words=["he"], vectors=VECTORS)
    with pytest.raises(FileFormatError, match=r"expected \(V,\) strings and \(V, D\)"):
        load_word_vectors(tmp_path / "lengths.npz", WORDS, 2)
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(FileFormatError, match="cannot be read"):
        load_word_vectors(tmp_path / "objects.npy", WORDS, 2)
    with pytest.raises(FileFormatError, match="missing"):
        load_word_vectors(tmp_path / "missing.txt", WORDS, 2)


def test_a_model_begins_with_the_given_vectors(tmp_path):
    path = tmp_path / "1234567890123.txt"  # digits of a path are no sizes
    path.write_text("she 1 2\nwas 3 4\n", encoding="utf-8")
    write_trigrams(tmp_path / "words.h5", WORDS)
    loaded, _ = RECIPE.find(tmp_path / "words.h5")
    settings = {"sizes": "2x3", "dtype": "float64"}
    given, _ = RECIPE.build(RECIPE.with_settings(settings | {"embedding": str(path)}), loaded)
    plain, _ = RECIPE.build(RECIPE.with_settings(settings), loaded)
    np.testing.assert_array_equal(given.parameters["embedding.w"][[1, 4]], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(
        given.parameters["embedding.w"][[0, 2, 3]], plain.parameters["embedding.w"][[0, 2, 3]]
    )


def test_vectors_that_are_given_are_of_one_size():
    assert RECIPE.chosen_comparisons(None, {"embedding"}) == []


def test_bad_vectors_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_trigrams(tmp_path / "words.h5", WORDS)
    np.save("v.npy", VECTORS)
    assert main(["train", "trigram", "--data", "words.h5", "--sizes", "3x3", "--embedding", "v.npy"]) == 2
    assert "'v.npy' has shape (6, 2), expected (6, 3)" in capsys.readouterr().err
    assert not Path("runs").exists()
