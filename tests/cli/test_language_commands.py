"""`fastnn generate`, `score`, `neighbours` and `export`: what they print, and what they say of bad input."""

import csv
import io
import json
import os

import numpy as np
import pytest

from fastnn.cli import main
from fastnn.common.text import perplexity_text
from fastnn.data.formats.word_vectors import load_word_vectors
from fastnn.text.vectors import read_vectors
from tests.language.nets import WHOLE, bare, pixels, whole

TEXT = "The old man was tired. Was he?"
LETTERS = [*"ab ", "<unk>", "<s>"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Models and texts."""
    folder = tmp_path_factory.mktemp("language")
    (folder / "run").mkdir()
    whole().save(folder / "run" / "model.h5")
    bare().save(folder / "bare.h5")
    whole(LETTERS, kind="characters").save(folder / "letters.h5")
    pixels().save(folder / "pixels.h5")
    (folder / "text.txt").write_text(TEXT, "utf-8")
    (folder / "latin.txt").write_bytes("Été. The man.".encode("latin-1"))
    (folder / "empty.txt").write_bytes(b"")
    (folder / "binary.txt").write_bytes(bytes(range(256)))
    (folder / "two").mkdir()
    for name in ("a", "b.md"):
        (folder / "two" / name).write_text(TEXT, "utf-8")
    return folder


@pytest.fixture
def run(source, monkeypatch, capsys):
    """Runs a command in the folder: its status, and the lines of its output and errors."""

    def run(*arguments):
        status = main([*arguments])
        printed = capsys.readouterr()
        return status, printed.out.splitlines(), printed.err.splitlines()

    monkeypatch.chdir(source)
    return run


def test_a_text_is_written(run):
    status, lines, _ = run("generate", "run", "the", "old", "--words", "9", "--seed", "3", "--top-p", "0.8")
    assert (status, lines) == (0, whole().generate("the old", 9, seed=3, top_p=0.8).splitlines())
    assert run("generate", "run", "--temperature", "0")[1] == [whole().generate(temperature=0)]
    assert run("generate", "run", "--temperature", "0")[1] == run("generate", "run", "--top-k", "1")[1]


def test_perplexity_of_files_folders_and_words(run):
    status, lines, errors = run("score", "run", "text.txt", "two", "The old man.")
    assert (status, errors) == (0, [])
    assert lines[0].split() == ["words", "unknown", "nats", "per", "word", "perplexity"]
    assert [line.split()[0] for line in lines[1:]] == ["text.txt", "two/a", "two/b.md", "The", "together"]
    want = whole().score(TEXT)
    assert lines[1].split()[1:] == ["9", "33.33", "%", f"{want.nats_per_word:.4f}", perplexity_text(want.perplexity)]


def test_characters_are_no_words(run):
    assert run("score", "letters.h5", "ab")[1][0].split() == [
        "characters",
        "unknown",
        "nats",
        "per",
        "character",
        "perplexity",
    ]


def test_a_text_of_several_lines_has_one_in_the_table(run):
    status, lines, errors = run("score", "run", "the\r\nold\n")
    assert (status, len(lines), errors) == (0, 2, [])
    assert lines[1].split()[:3] == ["the", "old", "2"]


def test_figures_for_programs(run, source):
    want = whole().score(TEXT)
    _, lines, _ = run("score", "run", "text.txt", "--format", "json")
    figures = {"words": 9, "unknown": want.unknown, "nats_per_word": want.nats_per_word, "perplexity": want.perplexity}
    assert json.loads("\n".join(lines)) == [{"text": "text.txt"} | figures]
    assert run("score", "run", "text.txt", "-o", "figures.csv")[1] == ["wrote figures.csv: 1 text"]
    (row,) = csv.DictReader(io.StringIO((source / "figures.csv").read_text("utf-8")))
    assert {name: float(row[name]) for name in figures} == figures


def test_surprisal_by_word(run):
    want = whole().score(TEXT)
    _, lines, _ = run("score", "run", TEXT, "--by-word")
    assert [line.split()[0] for line in lines] == want.tokens
    assert [float(line.split()[1]) for line in lines] == pytest.approx(want.nats, abs=1e-4)
    assert [line.endswith("unknown") for line in lines] == (~want.is_known).tolist()
    (found,) = json.loads("\n".join(run("score", "run", TEXT, "--by-word", "--format", "json")[1]))
    assert [word["nats"] for word in found["by_word"]] == want.nats.tolist()
    rows = list(csv.DictReader(io.StringIO("\n".join(run("score", "run", TEXT, "--by-word", "--format", "csv")[1]))))
    assert [(row["word"], float(row["nats"])) for row in rows] == list(zip(want.tokens, want.nats, strict=True))


def test_what_is_not_predicted_is_said(run):
    status, lines, errors = run("score", "bare.h5", "the old man was sly", "--by-word")
    assert status == 0
    assert [len(line.split()) for line in lines] == [1, 1, 1, 2, 2]
    assert errors == [
        "the old man was sly: 4 of 5 words are not predicted: they are unknown, after an unknown one, or too near the "
        "beginning of a sentence"
    ]
    (found,) = json.loads("\n".join(run("score", "bare.h5", "the old man was", "--by-word", "--format", "json")[1]))
    assert [word["nats"] is None for word in found["by_word"]] == [True, True, True, False]
    assert run("score", "run", "latin.txt")[2] == ["latin.txt is read as Latin-1"]


def test_the_standard_input(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode("utf-16"))))
    _, lines, errors = run("score", "run", "-", "--format", "csv")
    assert lines[1].startswith("-,9,")
    assert errors == ["- is read as UTF-16"]


def test_neighbours(run):
    want = whole().neighbours("man", 2)
    _, lines, _ = run("neighbours", "run", "man", "-n", "2")
    assert [line.split() for line in lines] == [[word, f"{cosine:.3f}"] for word, cosine in want]
    assert len(run("neighbours", "run", "man", "old", "-n", "2")[1]) == 6
    (found,) = json.loads("\n".join(run("neighbours", "run", "man", "-n", "2", "--format", "json")[1]))
    assert [(one["word"], one["cosine"]) for one in found["neighbours"]] == want
    _, lines, _ = run("neighbours", "run", "man", "-n", "2", "--format", "csv")
    assert lines[1].startswith("man,1,")


def test_vectors_are_exported(run):
    for name in ("v.txt", "v.bin"):
        assert run("export", "run", "-o", name)[:2] == (0, [f"wrote {name}: 8 vectors of 4 numbers"])
        assert [word for word, _ in read_vectors(name, WHOLE)] == WHOLE
    status, lines, errors = run("export", "letters.h5", "-o", "letters.txt")
    assert (status, lines) == (0, ["wrote letters.txt: 4 vectors of 4 numbers"])
    assert errors == ["left out, as such a file holds no white space in words: ' ' (1)"]


@pytest.mark.parametrize(
    "given", ["3.14", "e.g", "U.S", "man.", "the/old man", "the old man.\ntext.txt", "...", "old \0 man", "old " * 9999]
)
def test_words_that_are_no_name_of_a_file_are_a_text(run, given):
    (found,) = json.loads("\n".join(run("score", "run", given, "--format", "json")[1]))
    want = whole().score(given)
    assert (found["text"], found["words"], found["nats_per_word"]) == (given, want.words, want.nats_per_word)


@pytest.mark.parametrize("given", ["and/or", "text.txt", "two", "-"])
def test_what_looks_like_a_file_may_be_said_to_be_a_text(run, given):
    (found,) = json.loads("\n".join(run("score", "run", "--text", given, "--format", "json")[1]))
    assert (found["text"], found["words"]) == (given, whole().score(given).words)


@pytest.mark.parametrize("command", [("generate",), ("score", "x"), ("neighbours", "x"), ("export", "-o", "v")])
def test_a_run_that_is_no_language_model(run, command):
    verb, *rest = command
    status, lines, errors = run(verb, "pixels.h5", *rest)
    assert (status, lines) == (2, [])
    (error,) = errors
    assert error.startswith("fastnn: this is no language model: it takes samples of shape (4,), not words (fn.Words); ")
    assert error.endswith("`fastnn predict` and `fastnn evaluate` take any model, in Python fn.load does")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "run", "--top-k", "0"], "'--top-k': 0 is not in the range x>=1"),
        (["generate", "run", "--temperature", "-1"], "'--temperature': -1.0 is not in the range x>=0"),
        (["generate", "run", "--temperature", "nan"], "temperature is nan, expected a finite"),
        (["generate", "run", "--temperature", "inf"], "temperature is inf, expected a finite number: 0"),
        (["generate", "run", "--words", "9" * 30], "is not in the range 1<=x<=1000000"),
        (["generate", "run", "--top-p", "1.5"], "'--top-p': 1.5 is not in the range 0<x<=1"),
        (["generate", "run", "--top-p", "0"], "'--top-p': 0.0 is not in the range 0<x<=1"),
        (["generate", "run", "--words", "0"], "'--words': 0 is not in the range"),
        (["generate", "bare.h5"], "the text has 0 words, but this model knows no beginning of a sentence: give 3"),
        (["generate", "bare.h5", "ὁ", "old", "man"], "the word 'ὁ' is not among the 6 of the vocabulary"),
        (["generate", "missing"], "no such file; expected a run's folder or a saved model"),
        (["score", "run", "empty.txt"], "'empty.txt': the text has no words"),
        (["score", "run", ""], "'': the text has no words"),
        (["score", "run", "binary.txt"], "'binary.txt' is no plain text: byte 0 is zero"),
        (["score", "run", "missing.md"], "'missing.md' does not exist"),
        (
            ["score", "run", "and/or"],
            "'and/or' does not exist, expected a file or a folder of texts; if it is a text",
        ),
        (["score", "run", "two/c"], "'two/c' does not exist"),
        (["score", "run", "/old"], "'/old' does not exist"),
        (["score", "run", "my old book.TXT"], "'my old book.TXT' does not exist"),
        (["score", "bare.h5", "the"], "'the': none of the text's 1 word can be predicted"),
        (["neighbours", "run", "mann"], "'mann' is not among the 5 of the vocabulary; did you mean man?"),
        (["neighbours", "run", ""], "the word '' is not among the 5"),
        (["export", "run", "-o", "no/v.txt"], "cannot write 'no/v.txt'"),
        (["export", "run", "-o", "two"], "cannot write 'two'"),
        (["export", "run", "-o", os.sep], "it is a folder, a file name was expected"),
    ],
)
def test_bad_input_is_one_line(run, arguments, message):
    status, lines, errors = run(*arguments)
    assert (status, lines, len(errors)) == (2, [], 1)
    assert message in errors[0]


def test_words_of_a_hostile_file_do_not_reach_the_terminal(run, source):
    words = ["a\x1b[2J", "b", "<unk>", "<s>"]
    model = whole(words, kind="spaces")
    model.save(source / "hostile.h5")
    for arguments in (["generate", "hostile.h5"], ["neighbours", "hostile.h5", "b"]):
        assert "\x1b" not in "".join(run(*arguments)[1])


def test_exported_vectors_start_another_training(run):
    run("export", "run", "-o", "start.bin")
    ids, vectors = load_word_vectors("start.bin", WHOLE, 4)
    np.testing.assert_array_equal(ids, range(len(WHOLE)))
    np.testing.assert_array_equal(vectors, whole().vectors.astype(np.float32))


@pytest.mark.parametrize("command", ["predict", "generate"])
def test_words_that_are_read_as_unknown_are_named(run, command):
    assert run(command, "run", "the old man")[2] == []
    status, _, errors = run(command, "run", "the sly fox, the fox")
    assert (status, errors) == (0, ["not in the vocabulary, read as <unk>: 'sly', 'fox', ','"])
    many = " ".join(f"w{i}" for i in range(7))
    assert run(command, "run", many)[2][0].endswith("'w4' and 2 others")
