"""The language model of a user's own text: its own settings, by kind and length of the text, and what its page says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fastnn.cli import main
from fastnn.cli.commands import fastnn
from fastnn.data import Dataset, Split, load_text
from fastnn.experiment.answers import Row
from fastnn.experiment.report import command
from fastnn.experiment.settings import checked
from fastnn.experiment.summary import Summary
from fastnn.experiment.train_one import train_one
from fastnn.recipes import RECIPES
from fastnn.recipes.trigram import counts, text
from fastnn.recipes.trigram.answers import _last_words
from fastnn.recipes.trigram.network import build
from fastnn.recipes.trigram.text_defaults import BOOK, SHORT, WINDOW, adapted
from tests.small_data import write_trigrams
from tests.tiny import jit_only

RECIPE = RECIPES["trigram"]
TEXT = "The old man saw the dog. A dog saw the old man, too! " * 60
KINDS = {"words": {}, "characters": {"tokens": "characters"}, "bytes": {"tokens": "bytes"}}


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path / "book.txt"


def suited(path, **changes):
    return RECIPE.suited(RECIPE, path, changes)


def test_the_report_s_data_keep_the_report_s_settings(book):
    write_trigrams(book.parent / "words.h5")
    assert suited(None) is RECIPE
    assert suited(book.parent / "words.h5") is RECIPE
    assert RECIPE.settings.sizes == "32x256"


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)
def test_a_text_gets_settings_of_its_kind(book, changes):
    recipe = suited(book, **changes)
    settings = checked(recipe.with_settings(changes | {"lr": 0.5}))
    want = (8, 0, 2 * BOOK["length"]) if changes else (BOOK["order"], BOOK["softmax_words"], BOOK["length"])
    assert (settings.order, settings.softmax_words, settings.length) == want
    assert (settings.lr, settings.optimizer) == (0.5, "adam"), "flags come first"
    assert recipe.id == RECIPE.id
    assert not recipe.published.of("chosen", "test")
    assert all(not comparison.report for comparison in recipe.comparisons)


@pytest.mark.parametrize("changes", [{"net": "window"}, {"order": 6}, {"blocks": 1}, {"activation": "silu"}])
def test_a_flag_of_a_window_means_such_a_net(book, changes):
    recipe = suited(book, **changes)
    settings = checked(recipe.with_settings(changes))
    assert {name: getattr(settings, name) for name in WINDOW} == WINDOW
    assert "length" not in recipe.shown
    assert "blocks" in {comparison.name for comparison in recipe.comparisons}


def test_a_page_lists_the_settings_of_its_net_alone(book):
    for net, lacks, has in (("gru", "blocks", "length"), ("window", "length", "blocks")):
        recipe = suited(book, net=net)
        unused = recipe.unused(recipe.with_settings({"net": net}))
        assert lacks in unused
        assert "momentum" in unused
        assert has not in unused
    assert {"vocabulary", "net", "length"} <= {*RECIPE.unused(RECIPE.settings)}
    assert "momentum" not in RECIPE.unused(RECIPE.settings)
    summary = Summary(id="trigram", config={"lr": 0.1, "blocks": 0}, unused=["blocks"])
    assert command(summary) == "fastnn train trigram --lr 0.1"


def test_flags_of_a_window_beside_a_gru_are_refused(book, capsys):
    assert main(["train", "trigram", "--data", "book.txt", "--net", "gru", "--blocks", "1"]) == 2
    assert "--blocks is of --net window, not of --net gru" in capsys.readouterr().err
    write_trigrams(book.parent / "words.h5")
    assert main(["train", "trigram", "--data", "words.h5", "--net", "gru"]) == 2
    assert "--net is for plain text, but 'words.h5' has samples and a vocabulary" in capsys.readouterr().err


def test_the_help_says_the_settings_of_a_text():
    result = CliRunner().invoke(fastnn, ["train", "trigram", "--help"], terminal_width=80)
    told = " ".join(result.output.split()).replace("- ", "-")  # lines are broken at hyphens, too
    for name, value in [*BOOK.items(), *WINDOW.items(), ("sizes", "32x512")]:
        assert f"{name.replace('_', '-')} {value}" in told


@pytest.mark.parametrize(
    ("samples", "given", "batch", "epochs"),
    [
        (10**6, {}, BOOK["batch_size"], BOOK["epochs"]),
        (30, {}, SHORT["gru"].smallest_batch, SHORT["gru"].most_epochs),
        (10**6, {"net": "window"}, WINDOW["batch_size"], WINDOW["epochs"]),
        (300, {"net": "window"}, 10, SHORT["window"].most_epochs),
        (10**6, {"batch_size": 20, "epochs": 1}, 20, 1),
        (300, {"batch_size": 50, "epochs": 2}, 50, 2),
    ],
    ids=["book", "poem", "book, window", "poem, window", "book, as given", "poem, as given"],
)
def test_a_short_text_gets_small_batches_and_many_epochs(book, samples, given, batch, epochs):
    data, ids = load_text(book), np.zeros(samples, np.uint8)
    data = Dataset(Split(ids[:, None], ids), data.val, data.test, data.meta)
    settings = adapted(suited(book, **given).with_settings(given), data, {*given})
    assert (settings.batch_size, settings.epochs) == (batch, epochs)


def test_few_words_are_all_in_the_softmax(book):
    recipe, data = suited(book, net="window"), load_text(book, order=6)
    settings = recipe.with_settings({"sizes": "2x3x2"})
    model, optimizer = recipe.build(settings, data)
    assert [layer.kind for layer in model.layers][-2:] == ["dense", "dense"]
    few, _ = recipe.build(recipe.with_settings({"sizes": "2x3", "softmax_words": 4}), data)
    assert [layer.kind for layer in few.layers][-1] == "sampled_softmax"
    for one in (model, few):  # shares by Zipf's law
        *_, biases = one.parameters
        assert np.exp(np.float64(one.parameters[biases])).sum() == pytest.approx(1, rel=1e-6)
    steps = -(-len(data.train) // settings.batch_size) * settings.epochs
    assert (optimizer.lr.steps, optimizer.lr.lr) == (steps, settings.lr)
    _, constant = build(recipe.with_settings({"sizes": "2x3", "schedule": "constant"}), data)
    assert constant.lr == settings.lr


@jit_only
@pytest.mark.parametrize(
    "changes",
    [
        ["--compare", "sizes"],
        ["--compare", "none", "--tokens", "characters"],
        ["--compare", "none", "--net", "window"],
    ],
    ids=["words", "characters", "window"],
)
def test_what_the_page_of_a_text_says(book, changes, capsys):
    small = ["--epochs", "1", "--threads", "1", "--sizes", "2x3,2x3x2", "--batch-size", "50"]
    assert main(["train", "trigram", "--data", "book.txt", *small, *changes]) == 0
    out, err = capsys.readouterr()
    of_net = {
        "characters": "net gru, length 128, order 8",
        "sizes": "net gru, length 64, order 4",
        "window": "net window, order 6",
    }
    assert f"settings: {of_net[changes[-1]]}, epochs 1, sizes 2x3,2x3x2" in err
    assert "report" not in out.replace("report.html", "")
    summary = json.loads((book.parent / "runs/trigram/summary.json").read_text(encoding="utf-8"))
    answers = {answer["name"]: answer for answer in summary["answers"]}
    longest = "counted 8-grams" if "characters" in changes else "counted 4-grams"
    (table,) = answers["counts"]["tables"]
    assert [row["label"] for row in table["rows"]] == [
        *("counted words", "counted pairs", longest),
        *("the net", "net and counts"),
    ]
    for row in table["rows"]:
        assert row["here"]["test_perplexity"] == pytest.approx(np.exp(row["here"]["test_loss"]), rel=1e-9)
    assert not any(row["report"] for answer in answers.values() for table in answer["tables"] for row in table["rows"])


@jit_only
def test_other_text_settings_in_a_sweep(book):
    assert main(["sweep", "trigram", "--data", "book.txt", "--grid", "lr=0.001,0.01", "--epochs", "1"]) == 0
    header, *rows = (book.parent / "sweeps/trigram/sweep.csv").read_text(encoding="utf-8").splitlines()
    for row in rows:
        found = dict(zip(header.split(","), row.split(","), strict=True))
        assert (found["sizes"], found["optimizer"], found["status"]) == (BOOK["sizes"], "adam", "finished")


@jit_only
def test_a_long_text_is_measured_on_a_part(book):
    recipe = replace(suited(book, net="window"), measured=50)
    settings = recipe.with_settings({"sizes": "2x3", "epochs": 1, "blocks": 0, "tokens": "characters", "order": 2})
    data, _ = recipe.find(book, settings=settings)
    assert min(len(data.train), len(data.val)) > 50
    result = train_one(recipe, "", settings, data)
    assert result.before == {}
    part, val = data.train.drawn(50), data.val.drawn(50)
    assert result.metrics["train_loss"] == result.model.evaluate(part.x, part.y)["loss"]
    assert result.metrics["val_loss"] == result.model.evaluate(data.val.x, data.val.y)["loss"], "in the end all"
    assert result.epochs[0]["val_loss"] == result.model.evaluate(val.x, val.y)["loss"]


@pytest.mark.parametrize("net", ["gru", "window"])
def test_quick_takes_all_of_a_large_text_that_holds_out_little(book, net, monkeypatch):
    """Its held-out samples are a stream, which refuses to give more than it has."""
    monkeypatch.setattr("fastnn.data.formats.text_to_ids.LARGE_BYTES", 100)
    monkeypatch.setenv("FASTNN_DATA_DIR", str(book.parent))
    recipe = suited(book, net=net)
    settings = recipe.with_settings({"net": net}, quick=True)
    whole, quick = (recipe.find(book, is_quick, settings)[0] for is_quick in (False, True))
    assert whole.val.is_streamed
    assert 0 < len(quick.val) == len(whole.val) < 1_000


@jit_only
def test_of_a_huge_training_set_figures_are_taken_on_a_part(tmp_path, monkeypatch):
    """But for the mean over the steps: what evaluates it all would seem to hang."""
    monkeypatch.setattr("fastnn.experiment.recipe.MOST_MEASURED", 50)
    write_trigrams(tmp_path / "words.h5")
    data, announced = RECIPE.find(tmp_path / "words.h5")
    assert len(data.train) > 50
    assert announced.endswith("figures of the training data are taken on 50 drawn samples")
    result = train_one(RECIPE, "", replace(RECIPE.settings, epochs=1, sizes="2x3"), data)
    part = data.train.drawn(50)
    want = result.model.evaluate(part.x, part.y)["loss"]
    assert result.epochs[0]["train_loss"] == result.metrics["train_loss"] == want
    assert {"train_loss", "val_loss"} <= result.before.keys()


def test_a_residual_block_adds_to_what_it_is_given(book):
    data = load_text(book, order=6)
    settings = suited(book, blocks=1).with_settings({"sizes": "2x3", "dropout": 0.0, "input_dropout": 0.0})
    model, _ = build(settings, data)
    plain, _ = build(replace(settings, blocks=0), data)
    assert [layer.kind for layer in model.layers][3:] == ["layer_norm", "dense", "dense", "add", "dense"]
    for name in ("dense_2.w", "dense_2.b"):  # nothing is added
        model.parameters[name][...] = 0
    for name, other in {"embedding.w": "", "dense.w": "", "dense.b": "", "dense_3.w": "dense_1.w"}.items():
        model.parameters[name][...] = plain.parameters[other or name]
    x = data.test.x[:5]
    np.testing.assert_array_equal(model.predict(x), plain.predict(x))


@jit_only
def test_figures_of_rows_are_those_of_their_words(book):
    """The table of counts predicts word by word what the evaluation of rows adds up."""
    assert main(["train", "trigram", "--data", "book.txt", "--sizes", "4x6", "--epochs", "2", "--length", "8"]) == 0
    summary = json.loads((book.parent / "runs/trigram/summary.json").read_text(encoding="utf-8"))
    counts = next(answer for answer in summary["answers"] if answer["name"] == "counts")
    net = next(row["here"] for row in counts["tables"][0]["rows"] if row["label"] == "the net")
    assert net["test_loss"] == pytest.approx(summary["metrics"]["test_loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--net", "gru", "--activation", "relu"], "--activation is of --net window, not of --net gru"),
        (["--net", "gru", "--batch-norm"], "--batch-norm is of --net window, not of --net gru"),
        (["--net", "window", "--length", "5"], "--length is of --net gru, not of --net window"),
        (["--blocks", "1", "--length", "5"], "--length is of --net gru, not of --net window"),
        (["--length", "0"], "--length is 0, expected at least 2"),
        (["--quick", "--length", "-1"], "--length is -1, expected at least 2"),
    ],
)
def test_flags_that_say_nothing_of_a_net_are_refused(book, flags, told, capsys):
    assert main(["train", "trigram", "--data", "book.txt", *flags]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("length", "rows"), [(10, 6_000), (64, 937), (10**6, 1)])
def test_a_quick_training_has_as_many_words_at_any_length(book, length, rows):
    recipe = suited(book, length=length)
    assert recipe.with_settings({"length": length}, quick=True).samples == rows
    assert recipe.measured == max(20_000 // length, 1)


@jit_only
def test_rows_longer_than_the_text(book, capsys):
    small = ["--epochs", "1", "--threads", "1", "--sizes", "2x3", "--compare", "none"]
    assert main(["train", "trigram", "--data", "book.txt", *small, "--length", "5000"]) == 0
    assert "Which words follow" in capsys.readouterr().out
    assert main(["train", "trigram", "--data", "book.txt", *small, "--length", "64", "--fresh"]) == 0
    assert "Which words follow 3 test contexts of 64 tokens?" in capsys.readouterr().out


@jit_only
def test_a_text_that_fills_no_row(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.txt").write_text("The cat sat. A dog ran. The dog sat. A cat ran! " * 12, encoding="utf-8")
    small = ["--sizes", "4x8", "--epochs", "1", "--softmax-words", "0"]
    assert main(["train", "trigram", "--data", "tiny.txt", "--out", "run", *small]) == 0
    told = capsys.readouterr().out
    (row,) = (line for line in told.splitlines() if "a cat ran !" in line)
    assert row.split("│")[2].strip() == "</s>", told


def test_the_last_words_of_short_rows():
    x = np.array([[1, 5, 6, 7], [1, 8, 1, 1], [9, 1, 1, 1]])
    y = np.array([[-1, -1, 7, -1], [8, 9, -1, -1], [-1, -1, -1, -1]])
    found = _last_words(Split(x, y))
    assert found.x.tolist() == [[7, 1, 5, 6], [1, 1, 1, 8]]
    assert found.y.tolist() == [7, 9]
    whole = np.array([[2, 3, 4, 5], [8, 9, -1, -1], [-1, -1, -1, 6]])
    assert _last_words(Split(x, whole)).y.tolist() == [5, 6]


@pytest.mark.parametrize("flags", [["--length", "7"], ["--net", "window", "--order", "3"]])
def test_long_held_out_texts_are_judged_by_their_first_words(book, monkeypatch, flags):
    """The net and the counts by the same words; the page says so."""
    monkeypatch.setattr(text, "JUDGED", 41)
    judged = []
    monkeypatch.setattr(counts, "_row", lambda label, found: judged.append(found) or Row(label, {}))
    arguments = ["train", "trigram", "--data", str(book), "--out", "run", "--epochs", "1", "--sizes", "4x8", *flags]
    assert main(arguments) == 0
    words = 40 if "--length" in flags else 41  # of rows, whose second halves have four words
    assert {len(p) for found in judged for p in found.values()} == {words}
    summary = json.loads(Path("run/summary.json").read_text("utf-8"))
    of_net = judged[-2]  # before both together
    assert summary["metrics"]["test_loss"] == pytest.approx(-np.log(of_net["test"]).mean(), rel=1e-5)
    page = Path("run/report.html").read_text("utf-8")
    assert f"Figures of validation and test are of the first {words} tokens." in page
