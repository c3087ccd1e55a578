"""Recurrent language models: each word is predicted from all before it, as far as its row goes."""

import math

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError
from fastnn.text.tokens import Tokenizer
from tests.language.nets import BARE, END, START, UNKNOWN, WHOLE


def row_net(words, length=6, seed=0, **of_words):
    """A recurrent model whose distributions are far from uniform."""
    layers = [fn.Embedding(len(words), 4), fn.GRU(5, return_sequences=True), fn.Dense(len(words))]
    described = fn.Words(words, **of_words)
    model = fn.Sequential(layers, input_shape=length, preprocessing=described, dtype="float64")
    rng = np.random.default_rng(seed)
    model.set_parameters({name: rng.normal(size=array.shape) for name, array in model.parameters.items()})
    return fn.LanguageModel(model)


def after(model, *ids):
    """p of the next word after these ids, which fit into a row, by a network of just that length."""
    exact = fn.Sequential(model.model.network.layers, input_shape=len(ids), dtype="float64")
    exact.set_parameters(dict(model.model.parameters))
    return exact.predict([ids])[0, -1]


def test_a_recurrent_model_predicts_from_all_before():
    model = row_net(WHOLE, tokenizer=Tokenizer().config())
    assert model.is_recurrent
    assert repr(model) == "<LanguageModel of 8 words, each from at most 6 before it>"
    for text, ids in {
        "the old": [START, 0, 3],
        "The man. Old": [START, 0, 4, 6, START, 3],  # an earlier sentence counts, too
        "": [START],
        "the old man was the old man": [3, 4, 5, 0, 3, 4],  # the last six of a row
        "the tired": [START, 0, UNKNOWN],
    }.items():
        want = after(model, *ids)
        got = dict(model.predict(text, 8))
        np.testing.assert_allclose([got[word] for word in WHOLE], want, rtol=1e-12, err_msg=text)


def test_a_recurrent_model_scores_each_word_from_half_a_row_at_least():
    model = row_net(WHOLE, tokenizer=Tokenizer().config())
    score = model.score("the old man was. the man!")
    inputs = [START, 0, 3, 4, 5, 6, START, 0, 4]
    targets = [0, 3, 4, 5, 6, END, 0, 4, UNKNOWN]
    assert list(score.tokens) == ["the", "old", "man", "was", ".", "</s>", "the", "man", "!", "</s>"]
    for i, word in enumerate(targets):  # rows begin three words before those that they predict
        row = i // 3 * 3 - 3
        before = [START] * max(-row, 0) + inputs[max(row, 0) : i + 1]
        assert score.nats[i] == pytest.approx(-math.log(after(model, *before)[word]), rel=1e-10), i
    assert score.predicted == 10


def test_what_a_recurrent_model_writes_it_finds_likely():
    model = row_net(WHOLE, tokenizer=Tokenizer().config())
    text = model.generate("the", 12, temperature=0)
    ids, words = [START, 0], []
    for _ in range(12):
        p = after(model, *ids[-6:])
        p[[UNKNOWN, START]] = 0
        best = int(p.argmax())
        if best == END:
            ids.append(START)
            p = after(model, *ids[-6:])
            p[[UNKNOWN, START, END]] = 0
            best = int(p.argmax())
        words.append(WHOLE[best])
        ids.append(best)
    assert [word for sentence in model.tokenizer.sentences(text) for word in sentence] == ["the", *words]
    assert model.generate("the", 9, seed=3) == model.generate("the", 9, seed=3)


def test_a_recurrent_model_without_marks_predicts_what_has_known_words_before_it():
    model = row_net(BARE)
    score = model.score("the old sly man was tired")
    assert np.flatnonzero(np.isfinite(score.nats)).tolist() == [1, 4, 5]
    with pytest.raises(DataError, match="the text has no word that this model knows"):
        model.predict("sly")
