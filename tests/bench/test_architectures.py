"""The batches of `bench.architectures`: windows and streams have the same targets, and each net trains on its own."""

import numpy as np
import pytest

import fastnn as fn
from bench.architectures import KINDS, OURS, Text, net_of
from bench.word_batches import NO_TARGET, Streams
from tests.kernels.cases import needs_jit

BOOK = "The cat sat on the mat. The dog sat on the cat. A cat is no dog. " * 40


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "book.txt"
    path.write_text(BOOK, encoding="utf-8")
    return Text.read(str(path), 2_000, 4)


def joined(pieces):
    """The pieces of a stream, one after the other."""
    return (np.concatenate(parts) for parts in zip(*pieces, strict=True))


def last_two(x, y):
    """The last word before each target, and the target."""
    return sorted(zip(x.tolist(), y.tolist(), strict=True))


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_streams_have_the_targets_of_windows(text, split):
    grams = getattr(text.grams, split)
    x, y = joined(text.batches("recurrent", split).in_order())
    predicted = y != NO_TARGET
    x, y = x[predicted], y[predicted]
    assert last_two(x, y) == last_two(grams.x[:, -1], grams.y)


def test_a_stream_goes_on_in_the_next_piece(text):
    one = Streams(text.pairs.train, text.start, streams=3, time=5)
    pieces = list(one.epoch(np.random.default_rng(0)))
    assert len(pieces) == one.steps
    x, y = joined(pieces)
    end = text.grams.meta["words"].index("</s>")
    want = np.where(y[:-1] == end, text.start, y[:-1])  # each word is the next input, but after a sentence <s> is
    np.testing.assert_array_equal(x[1:], want)
    assert y.size == len(text.pairs.train) // 3 * 3
    other = next(one.epoch(np.random.default_rng(1)))[0]
    assert not np.array_equal(other, pieces[0][0])


@needs_jit
@pytest.mark.parametrize("kind", KINDS)
def test_each_net_learns(text, kind):
    if kind not in OURS:
        pytest.importorskip("torch")
    net = net_of(kind, text, 4, 8, 0)
    val, test = net.perplexities(fn.CosineDecay(0.02, 4 * net.steps), 4)
    assert 1 < val < 12  # of 14 words
    assert 1 < test < 12
