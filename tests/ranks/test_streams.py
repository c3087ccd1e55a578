"""Ranks that train from a stream: each reads its own rows, and the training is the same."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data import streamed
from tests.ranks.by_threads import on_ranks
from tests.ranks.test_training import TOLERANCE, difference

N, WIDTH = 211, 5
ROW = 8 * WIDTH
rng = np.random.default_rng(8)
X, Y, W = rng.standard_normal((N, WIDTH)), rng.integers(0, 3, N), rng.random(N)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of 10 rows, four of them in a chunk; a gap of two rows is left out."""
    monkeypatch.setattr(streamed, "SHUFFLE_BLOCK_BYTES", 10 * (ROW + 8))
    monkeypatch.setattr(streamed, "SHUFFLE_BUFFER_BYTES", 40 * (ROW + 8))
    monkeypatch.setattr(streamed, "GAP_BYTES", ROW)


class Rows:
    """A stream that counts the rows that are read, and how often."""

    row_bytes, chunk_rows, dtype = ROW, 1, X.dtype

    def __init__(self, array=X, chunk_rows=1):
        self.array, self.shape, self.chunk_rows, self.read_rows = array, array.shape, chunk_rows, []

    def __len__(self):
        return len(self.array)

    def read(self, first, last):
        self.read_rows.append((first, last))
        return self.array[first:last].copy()

    def part(self, first, last):
        return Rows(self.array[first:last], self.chunk_rows)

    @property
    def count(self):
        return sum(last - first for first, last in self.read_rows)


def trained(x, y=Y, sync=1, **given):
    model = fn.Sequential([fn.Dense(7, "tanh"), fn.Dropout(0.3), fn.Dense(3)], input_shape=WIDTH, dtype="float64")
    given = {"batch_size": 12, "epochs": 2} | given
    model.fit(x, y, optimizer=fn.SGD(0.03, momentum=0.9), verbose=False, **given)
    return model


CASES = {
    "shuffled": {},
    "in order": {"shuffle": False},
    "weights of samples": {"sample_weight": W},
    "weights of classes": {"class_weight": {0: 2.0, 2: 0.5}},
    "fewer rows than ranks": {"batch_size": 2, "epochs": 1},
    "a part held out": {"validation_split": 0.2},
}


STREAMS = {"x": lambda: (Rows(), Y), "x and y": lambda: (Rows(), Rows(Y)), "y": lambda: (X, Rows(Y))}
BOTH = [("shuffled", "x and y"), ("weights of classes", "x and y"), ("weights of classes", "y")]


@pytest.mark.parametrize(("case", "kind"), [*((case, "x") for case in CASES), *BOTH])
def test_is_the_training_of_one_rank_that_reads_all(case, kind):
    alone = trained(*STREAMS[kind](), **CASES[case])
    models = on_ranks(3, lambda group: trained(*STREAMS[kind](), **CASES[case]))
    for model in models:
        assert difference(model, models[0]) == 0
        assert model.history.epochs == models[0].history.epochs
    assert difference(models[0], alone) <= TOLERANCE["float64"]


def rows_read(size, **given):
    """The streams of all ranks after an epoch; what was read to see the dtype is left out."""

    def train(group):
        stream = Rows(**given)
        trained(stream, epochs=1)
        stream.read_rows = [one for one in stream.read_rows if one != (0, 1)]
        return stream

    return on_ranks(size, train)


def test_each_rank_reads_its_own_rows():
    """And of the others those that lie between two of them, as they are shorter than another read."""
    assert sum(one.count for one in rows_read(8)) < 1.5 * N
    read = [row for one in rows_read(8) for first, last in one.read_rows for row in range(first, last)]
    assert set(read) | {0} == set(range(N))


def test_short_rows_are_read_in_whole_blocks(monkeypatch):
    monkeypatch.setattr(streamed, "GAP_BYTES", 8 * (ROW + 8))
    for one in rows_read(8):
        assert one.count == N
        assert len(one.read_rows) < 3 * N / 10


def test_rows_that_can_only_be_read_together_are_not_read_twice():
    for one in rows_read(8, chunk_rows=3):
        assert one.count < N / 2
        chunks = [{row // 3 for row in range(first, last)} for first, last in one.read_rows]
        assert sum(map(len, chunks)) == len(set.union(*chunks))


def test_what_is_wrong_in_a_row_is_told_by_its_place():
    wrong = X.copy()
    wrong[123, 4] = np.nan

    def train(group):
        trained(Rows(wrong), shuffle=False)

    with pytest.raises(fn.DataError, match=r"x \(counted from its row 1(20\)\[3|21\)\[2|22\)\[1|23\)\[0), 4\] is nan"):
        on_ranks(3, train)


def test_a_part_of_a_stream_tells_the_place_in_the_whole():
    wrong = X.copy()
    wrong[203, 1] = np.inf
    with pytest.raises(fn.DataError, match=r"x \(counted from its row 198\)\[5, 1\] is inf"):
        trained(Rows(wrong), validation_split=0.11, shuffle=False)


def test_resumes_within_a_chunk_on_more_ranks(tmp_path):
    class Killed(fn.Callback):
        every = 5

        def on_batch_end(self, run):
            if run.epoch == 1 and run.step == 10:
                raise RuntimeError("as if killed")

    def train(group, *others):
        kept = fn.Checkpoint(tmp_path / "kept.h5", every=5, resume=True)
        return trained(Rows(), epochs=3, callbacks=[kept, *others])

    alone = trained(Rows(), epochs=3)
    with pytest.raises(RuntimeError):
        on_ranks(2, lambda group: train(group, Killed()))
    assert difference(on_ranks(3, train)[0], alone) <= TOLERANCE["float64"]
