"""Keyed random numbers: known answers, and streams that do not depend on each other."""

import numpy as np

from fastnn.common import random


def test_known_answers_on_every_machine():
    """Saved runs are resumed with these numbers: they may never change."""
    want = [0x3B9A0EA1770C13DD, 0x3F892D4B2A5B043D, 0x318A2E6AC9689B4D, 0x0BD5908CF71D121A]
    np.testing.assert_array_equal(random.key(0, "a", 3), np.array(want, np.uint64), strict=True)
    want = [0.43969979367800827, 0.06763168970187672, 0.5260101041028571]
    assert random.generator(1, "b").random(3).tolist() == want


def test_more_words_begin_with_the_same_ones():
    assert random.key(7, "a", words=10)[:4].tolist() == random.key(7, "a").tolist()
    assert random.key(7, "a", words=0).shape == (0,)


def test_equal_labels_give_equal_numbers_whatever_their_type():
    assert (random.key(np.int64(1), "epoch", np.int64(2)) == random.key(1, "epoch", "2")).all()


def test_every_label_counts():
    labels = [(), ("a",), ("b",), ("a", "b"), ("b", "a"), ("ab",), ("a", 1), ("a", 11), ("a", 1, 1), (1, "a")]
    keys = {tuple(random.key(seed, *label)) for seed in (0, 1, -1) for label in labels}
    assert len(keys) == 3 * len(labels)


def test_one_generator_does_not_move_another():
    alone = random.generator(0, "shuffle", 2).random(5)
    random.generator(0, "shuffle", 1).random(100)
    np.random.seed(1)
    assert (random.generator(0, "shuffle", 2).random(5) == alone).all()
