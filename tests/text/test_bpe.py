"""Tokenizers of the package `tokenizers`: read, kept with a model, and what they cannot be."""

import json
import sys

import numpy as np
import pytest

import fastnn as fn
from fastnn.cli import main
from fastnn.common.errors import FileFormatError, MissingPackageError
from fastnn.data import load_text
from fastnn.text import bpe
from fastnn.text.tokens import Tokenizer
from tests.tiny import jit_only

TEXT = "The old man saw the dog. " * 40 + "An older dog, sad, saw him! " * 29
LETTERS = [*"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,!?'", "Ġ", "Ċ"]
MERGES = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("o", "l"), ("ol", "d"), ("Ġ", "old"), ("Ġold", "er"), ("e", "r")]


def rules(**changes):
    """A tokenizer as the package writes it: byte-pair encoding of bytes."""
    tokens = [*LETTERS, *("".join(pair) for pair in MERGES)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {
        "type": "BPE",
        "vocab": {token: i for i, token in enumerate(tokens)},
        "merges": [" ".join(pair) for pair in sorted(MERGES, key=lambda pair: len("".join(pair)))],
    }
    found = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None}
    found |= {"pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level, "model": model}
    return json.dumps(found | changes)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bpe.json").write_text(rules(), encoding="utf-8")
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def test_without_the_package(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    bpe._made.cache_clear()
    with pytest.raises(MissingPackageError, match=r'install it with: pip install "fastnn\[tokenizers\]"'):
        load_text("a.txt", kind="bpe.json")


@pytest.mark.parametrize("given", [{"kind": "bpe"}, {"rules": "{}"}, {"kind": "bpe", "rules": 3}])
def test_rules_go_with_their_kind(given):
    with pytest.raises(ValueError, match="Tokenizer: rules is"):
        Tokenizer(**given)


def test_tokens_and_texts(here):
    pytest.importorskip("tokenizers")
    made = Tokenizer("bpe", False, "punctuation", bpe.rules_in("bpe.json"))
    assert made.tokens("The older") == ["T", "he", "Ġolder"]
    sentences = list(made.sentences("The old dog. An older!"))
    assert sentences == [["T", "he", "Ġold", "Ġ", "d", "o", "g", "."], ["Ġ", "A", "n", "Ġolder", "!"]]
    assert made.text_of(sentences) == "The old dog. An older!"
    assert Tokenizer.from_config(json.loads(json.dumps(made.config()))) == made
    assert "rules" not in Tokenizer().config()


@pytest.mark.parametrize("in_file", [False, True])
def test_texts_in_memory_and_in_a_file(here, in_file):
    pytest.importorskip("tokenizers")
    data = load_text("a.txt", kind="bpe.json", ids_file="a.h5" if in_file else None)
    assert {"Ġthe", "Ġold", "T", "Ġolder"} < {*data.meta["words"]}
    assert data.meta["coverage"] == 1
    if in_file:
        data.train.y.close()


@jit_only
def test_a_model_keeps_its_tokenizer(here, capsys):
    pytest.importorskip("tokenizers")
    model = fn.LanguageModel.from_text("a.txt", tokens="bpe.json", width=4, hidden=8)
    model.fit(epochs=1, batch_size=50, verbose=False)
    model.save("m.h5")
    flags = ["--tokens", "bpe.json", "--sizes", "4x8", "--epochs", "1", "--compare", "none", "--quiet"]
    assert main(["train", "trigram", "--data", "a.txt", *flags]) == 0
    (here / "bpe.json").unlink()
    again = fn.LanguageModel.load("m.h5")
    np.testing.assert_array_equal(again.score(TEXT[:80]).nats, model.score(TEXT[:80]).nats)
    written = again.generate("The old man", words=12, seed=1)
    assert written.startswith("The old man")
    assert "Ġ" not in written
    again.fit("a.txt", epochs=1, verbose=False)
    assert main(["generate", "runs/trigram", "The old", "--words", "5"]) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "these are no rules of a tokenizer"),
        (b"[1, 2]", "these are no rules of a tokenizer"),
        (rules(model={"type": "Odd"}).encode(), "these are no rules of a tokenizer"),
        (b"\xff\xfe", "is no UTF-8 text"),
    ],
)
def test_files_that_are_no_tokenizer(here, content, said):
    pytest.importorskip("tokenizers")
    (here / "bad.json").write_bytes(content)
    with pytest.raises(FileFormatError, match=f"'bad.json'.*{said}") as caught:
        load_text("a.txt", kind="bad.json")
    assert "\n" not in str(caught.value)


def test_flags(here, capsys):
    assert main(["train", "trigram", "--data", "a.txt", "--tokens", "absent.json"]) == 2
    assert "'absent.json' does not exist" in capsys.readouterr().err
    assert main(["train", "trigram", "--data", "a.txt", "--tokens", "sounds"]) == 2
    assert "--tokens is 'sounds', expected one of words, spaces" in capsys.readouterr().err
