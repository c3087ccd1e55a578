"""fn.LanguageModel: what it predicts, writes and measures agrees with the network, word by word."""

import math

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError, FileFormatError
from fastnn.language.reading import reading_of
from fastnn.text import scoring
from fastnn.text.tokens import Tokenizer
from fastnn.text.vectors import read_vectors
from tests.language.nets import BARE, CONTEXT, END, START, UNKNOWN, WHOLE, bare, net, pixels, whole


def nats(model, *windows):
    """−ln p of the last id of each window, from `predict` of the others."""
    p = model.model.predict(np.array(windows)[:, :-1])
    return -np.log(p[np.arange(len(windows)), np.array(windows)[:, -1]])


def test_every_word_and_the_end_are_predicted_from_what_is_before_them():
    model = whole()
    score = model.score("The tired man. Old?")
    assert list(score.tokens) == ["the", "tired", "man", ".", "</s>", "old", "?", "</s>"]
    ids = [0, UNKNOWN, 4, 6, END]
    before = [START] * CONTEXT
    first = [[*before, *ids][i : i + 4] for i in range(5)]
    second = [[*before, 3, UNKNOWN, END][i : i + 4] for i in range(3)]
    np.testing.assert_allclose(score.nats, nats(model, *first, *second), rtol=1e-12)
    np.testing.assert_array_equal(score.is_known, [True, False, True, True, True, True, False, True])
    assert (score.words, score.predicted, score.unknown) == (6, 8, 2 / 6)
    assert score.nats_per_word == pytest.approx(score.nats.mean())
    assert score.perplexity == pytest.approx(math.exp(score.nats.mean()))


def test_models_without_marks_predict_what_has_known_words_before_it():
    model = bare()
    score = model.score("the old man was tired .\nthe sly man was tired . the")
    predicted = [3, 4, 5, 11, 12]
    assert np.flatnonzero(np.isfinite(score.nats)).tolist() == predicted
    want = nats(model, [0, 1, 2, 3], [1, 2, 3, 5], [2, 3, 5, 4], [2, 3, 5, 4], [3, 5, 4, 0])
    np.testing.assert_allclose(score.nats[predicted], want, rtol=1e-12)
    assert (score.words, score.predicted, score.unknown) == (13, 5, pytest.approx(1 / 13))


def test_long_texts_are_scored_in_pieces(monkeypatch):
    text = "The old man was tired. Was the man old? " * 20
    at_once = whole().score(text)
    monkeypatch.setattr(scoring, "PIECE", 7)
    monkeypatch.setattr("fastnn.language.scoring.BLOCK_BYTES", 200)
    in_pieces = whole().score(text)
    assert in_pieces.tokens == at_once.tokens
    np.testing.assert_array_equal(in_pieces.nats, at_once.nats)
    np.testing.assert_array_equal(in_pieces.is_word, at_once.is_word)


def test_surprisal_is_finite_where_probabilities_are_not():
    found = scoring.surprisals(np.array([[0.0, 2000.0], [-1e5, 1e5]]), np.array([0, 1]))
    np.testing.assert_array_equal(found, [2000, 0])


@pytest.mark.parametrize(
    ("make", "text", "message"),
    [
        (whole, "", "no words"),
        (whole, " \n ", "no words"),
        (bare, "the", "none of the text's 1 word can be predicted"),
        (bare, "ἐν ἀρχῇ ἦν ὁ λόγος", "none of the text's 5 words can be predicted"),
    ],
)
def test_texts_that_say_nothing(make, text, message):
    with pytest.raises(DataError, match=message):
        make().score(text)


def test_one_word_and_other_scripts_have_a_score_where_there_is_an_unknown_word():
    assert whole().score("man").predicted == 2
    assert whole().score("ἐν ἀρχῇ").unknown == 1


def test_the_next_word_after_any_number_of_words():
    model = whole()
    for text, ids in (("", [7, 7, 7]), ("The old", [7, 0, 3]), ("He was. The old man was", [3, 4, 5])):
        p = model.model.predict(np.array([ids]))[0]
        got = model.predict(text, 4)
        assert [word for word, _ in got] == [WHOLE[i] for i in np.argsort(-p)[:4]]
        np.testing.assert_allclose([number for _, number in got], np.sort(p)[::-1][:4])
    assert bare().predict("tired . the old man")[0] == bare().predict("the old man")[0]
    with pytest.raises(DataError, match="the text has 1 word, but this model knows no beginning"):
        bare().predict("the")


def greedy(model, ids, count):
    """The likeliest ids, one after the other; neither <unk> nor <s>, and no sentence without words."""
    written, is_first = [], len(set(ids)) == 1
    while sum(i != END for i in written) < count:
        p = model.model.predict(np.array([ids]))[0]
        p[[UNKNOWN, START, *([END] if is_first else [])]] = 0
        written.append(int(p.argmax()))
        is_first = written[-1] == END
        ids = [START] * CONTEXT if is_first else [*ids[1:], written[-1]]
    return written


def test_without_temperature_the_likeliest_words_are_written():
    model = whole()
    ids = greedy(model, [START] * CONTEXT, 12)
    sentences = " ".join(WHOLE[i] for i in ids).split("</s>")
    want = " ".join(Tokenizer().joined(sentence.split()) for sentence in sentences)
    assert model.generate(words=12, temperature=0, seed=3) == want.strip()


def test_what_is_written_depends_on_the_seed_and_goes_on_as_it_began():
    model = whole()
    texts = {model.generate("The old", words=30, seed=seed) for seed in range(5)}
    assert len(texts) == 5
    for text in texts:
        assert text.startswith("the old")
        assert not {"<unk>", "<s>", "</s>"} & set(text.replace(".", " ").split())
    assert model.generate("The old", words=30, seed=1) == model.generate("The old", words=30, seed=1)
    assert model.generate("The old", words=60, seed=1).startswith(model.generate("The old", words=30, seed=1))
    assert model.generate(words=5, top_k=1, seed=4) == model.generate(words=5, temperature=0)


def test_one_reading_writes_all_words(monkeypatch):
    made = []
    monkeypatch.setattr("fastnn.language.model.reading_of", lambda *given: made.append(given) or reading_of(*given))
    whole().generate("the old", words=12)
    assert len(made) == 1


def test_words_that_no_sentence_has_alone_are_counted():
    model = whole(sentences_end="lines")
    text = model.generate("the old man", words=40, seed=2)
    assert "\n" in text
    assert len(text.replace(".", " . ").split()) == 43
    assert all(line.strip() for line in text.splitlines())


def test_characters_are_written_without_spaces():
    letters = [*"ab c", "<unk>", "</s>", "<s>"]
    model = whole(letters, kind="characters", sentences_end="lines")
    text = model.generate("abba", words=50, seed=1)
    assert text.startswith("abba")
    assert len(text.replace("\n", "")) == 54
    assert set(text) <= set("ab c\n")


def test_models_without_marks_need_first_words_and_never_end():
    assert len(bare().generate("was the old man", words=20).split()) == 24
    with pytest.raises(DataError, match=r"the text has 2 words, .* give 3 first words at least"):
        bare().generate("the old")
    with pytest.raises(DataError, match="'sly' is not among the 6"):
        bare().generate("the sly man")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"words": 0}, ValueError),
        ({"temperature": -1}, ValueError),
        ({"top_k": 0}, ValueError),
        ({"top_p": 2}, ValueError),
        ({"seed": "x"}, TypeError),
        ({"text": b"the"}, TypeError),
    ],
)
def test_bad_arguments_of_generate(arguments, error):
    with pytest.raises(error):
        whole().generate(**arguments)


def test_neighbours_are_words_and_unknown_ones_are_named():
    model = whole()
    found = model.neighbours("Man", 99)
    assert sorted(word for word, _ in found) == sorted({*WHOLE} - {"man", "<unk>", "<s>", "</s>"})
    assert [cosine for _, cosine in found] == sorted((cosine for _, cosine in found), reverse=True)
    assert model.neighbours("man", 2) == found[:2]
    with pytest.raises(DataError, match=r"'mann' is not among the 5 of the vocabulary; did you mean man\?"):
        model.neighbours("mann")


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "V.BIN"])
def test_exported_vectors_come_back(tmp_path, name):
    model = whole()
    assert model.export(tmp_path / name) == []
    found = dict(read_vectors(tmp_path / name, WHOLE))
    assert list(found) == WHOLE
    dtype = np.float64 if name == "v.txt" else np.float32
    np.testing.assert_array_equal(list(found.values()), model.vectors.astype(dtype))
    assert whole([*"ab ", "<s>"], kind="characters").export(tmp_path / "letters.txt") == [" "]


def test_it_comes_back_from_a_file_and_from_a_run(tmp_path):
    model = whole()
    model.save(tmp_path / "model.h5")
    for path in (tmp_path, tmp_path / "model.h5"):
        assert fn.LanguageModel.load(path).generate(seed=9) == model.generate(seed=9)
    with pytest.raises(FileFormatError):
        fn.LanguageModel.load(tmp_path / "other.h5")


def test_models_of_an_earlier_version_have_their_vocabulary_in_meta(tmp_path):
    model = net(BARE)
    model.preprocessing, model.meta = None, {"words": BARE}
    model.save(tmp_path / "old.h5")
    assert fn.LanguageModel.load(tmp_path / "old.h5").generate("the old man", words=5)


def narrow(loss="softmax_cross_entropy"):
    layers = [fn.Embedding(6, 2), fn.Flatten(), fn.Dense(4 if loss.startswith("soft") else 6)]
    return fn.Sequential(layers, input_shape=(3,), loss=loss, preprocessing=fn.Words(BARE))


@pytest.mark.parametrize("make", [pixels, narrow, lambda: narrow("mse")])
def test_other_models_are_none_of_language(make):
    with pytest.raises(DataError, match="this is no language model: it "):
        fn.LanguageModel(make())


def test_what_is_no_model():
    with pytest.raises(TypeError, match="got str"):
        fn.LanguageModel("runs/book")


OUTPUTS = {
    "adaptive": lambda count: fn.AdaptiveSoftmax(count, [2, 4], use_bias=True),
    "sampled, tied": lambda count: fn.SampledSoftmax(count, 3, tied_to="embedding"),
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_outputs_of_large_vocabularies_do_all_that_others_do(output, tmp_path):
    layers = [fn.Embedding(len(WHOLE), 4), fn.Flatten(), fn.Dense(4), OUTPUTS[output](len(WHOLE))]
    words = fn.Words(WHOLE, tokenizer=Tokenizer().config())
    net = fn.Sequential(layers, input_shape=(CONTEXT,), preprocessing=words, dtype="float64")
    rng = np.random.default_rng(0)
    net.set_parameters({name: rng.normal(size=array.shape) for name, array in net.parameters.items()})
    model = fn.LanguageModel(net)
    score = model.score("Old man.")
    ids = [*[START] * CONTEXT, 3, 4, 6, END]
    np.testing.assert_allclose(score.nats, nats(model, *(ids[i : i + 4] for i in range(4))), rtol=1e-12)
    p = net.predict([ids[:3]])[0]
    for word, probability in model.predict("", 3):
        assert probability == pytest.approx(p[WHOLE.index(word)])
    assert model.generate("the", words=3, seed=1)
    assert [word for word, _ in model.neighbours("man", 2)]
    assert model.export(tmp_path / "vectors.txt") == []
