"""Takes a rank's step through data: its rows of each batch, and after each step what all ranks have computed."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

import fastnn_kernels as k
from fastnn.common.arithmetic import ieee
from fastnn.data.chunk import Chunk
from fastnn.data.source import Source
from fastnn.data.streamed import StreamSource
from fastnn.engine.split_program import SplitProgram
from fastnn.engine.threads import call, usable_threads
from fastnn.ranks.group import Group
from fastnn.ranks.sums import FlatSum, added
from fastnn.training.passes.data_pass import order_key
from fastnn.training.passes.runner import SECONDS_PER_CALL, Runner, first_not_finite
from fastnn.training.ranks.compile import Exchange
from fastnn.training.steps.scalars import STEPS_PER_CALL
from fastnn.training.steps.step import Step


class RankRunner(Runner):
    """As `Runner`; all ranks call its methods together. `next_batch` and `samples_done` count the samples of all ranks.

    The cursor holds, while a step runs, the number of this rank's first sample: so indices, dropout and noise are those
    that one rank alone would have. Rank 0 says how many steps a call takes.

    state : the parameters and the optimizer's state, of which the ranks take the mean every `sync_every` steps
    """

    step: Step

    def __init__(self, step: Step, exchange: Exchange, group: Group, state: Sequence[np.ndarray]):
        super().__init__(step)
        self._exchange, self._group = exchange, group
        program = step.program
        assert isinstance(program, SplitProgram)
        self._first, self._rest = program, program.rest
        self._cursor = program[step.inputs.cursor]
        self._is_local = group.sync_every > 1
        self._means = [FlatSum(group, [array]) for array in state] if self._is_local else []
        self._chunk_at_hand: Chunk | None = None
        self._indices = np.zeros(0, np.int64)

    @property
    def bytes_of_messages(self) -> int:
        """The memory that the exchange takes, beside lists of rows."""
        return sum(one.nbytes for one in (self._exchange.flat, *self._means))

    def _bind(self, chunk: Chunk, order_key: np.ndarray | None, uses: int) -> None:
        super()._bind(chunk, order_key, uses)
        self._chunk_at_hand = chunk

    def _chunks_of(self, source: Source, seed: int | None, epoch: int, first: int) -> Iterator[Chunk]:
        """Of a stream whose rows are long this rank reads those that it takes."""
        needs_all = self._exchange.none is not None  # the labels of all ranks are counted
        if isinstance(source, StreamSource) and source.skips(self._group.size) and not needs_all:
            return source.chunks(self.step.batch, seed, epoch, first, partial(self._own_places, seed, epoch))
        return super()._chunks_of(source, seed, epoch, first)

    def _own_places(self, seed: int | None, epoch: int, chunk: int, samples: int) -> np.ndarray:
        """The samples of a chunk, ascending, that this rank takes in one of its batches."""
        order, batch = np.arange(samples), self.step.batch
        if seed is not None:
            call(k.permuted_indices, order, np.zeros(4, np.int64), order_key(seed, epoch, chunk), samples)
        batches = (order[begin : begin + batch] for begin in range(0, samples, batch))
        mine = [one[part.start : part.stop] for one in batches if (part := self._group.rows_of(len(one)))]
        return np.sort(np.concatenate(mine)) if mine else order[:0]

    def _gather_all(self, samples: int) -> None:
        mine = self._group.rows_of(samples)
        self._cursor[0] = mine.start
        if mine:
            self.step.program.begin(len(mine))
        self._cursor[0] = 0

    def release(self) -> None:
        super().release()
        self._chunk_at_hand = None

    def prepare(self) -> None:
        for batch in {min(self.step.batch, self._samples), self._samples % self.step.batch} - {0}:
            if mine := self._group.rows_of(batch):
                self._first.prepare(len(mine), usable_threads())
        self._rest.prepare(self.step.program.batch, usable_threads())

    @ieee
    def advance(self, limit: int | None = None, scalars: Callable[[int], np.ndarray] | None = None) -> int:
        batch = self.next_batch
        if batch <= 0:
            return 0
        mine = self._group.rows_of(batch)
        used = usable_threads()
        more = self._rest.uses_threads(self._rest.batch, used) or (
            bool(mine) and self._first.uses_threads(len(mine), used)
        )
        threads, fitting = self._tuner.choose(used if more else 1, SECONDS_PER_CALL)
        steps = self._group.told(self._steps(batch, fitting, limit))
        first = self.steps_done
        self.set_up_call(batch, scalars(steps) if scalars is not None else None)
        begin = time.perf_counter()
        for _ in range(steps):
            self._run_step(batch, mine, threads)
        self._share_record(first, steps)
        self._check_ids()
        if batch == self.step.batch:
            self._tuner.ran(threads, steps, time.perf_counter() - begin)
        return steps

    def _steps(self, batch: int, fitting: int, limit: int | None) -> int:
        """How many steps fit into a call: of those between which parameters are exchanged, whole rounds."""
        left = (self._until - self.samples_done) // batch if batch == self.step.batch else 1
        most = min(left, limit or STEPS_PER_CALL, STEPS_PER_CALL)
        round_ends = -(self.steps_done) % self._group.sync_every or self._group.sync_every
        wanted = round_ends + max(fitting - round_ends, 0) // self._group.sync_every * self._group.sync_every
        return max(min(most, wanted), 1)

    def set_up_call(self, batch: int, scalars: np.ndarray | None) -> None:
        inputs, program = self.step.inputs, self.step.program
        if scalars is not None and inputs.scalars is not None:
            program[inputs.scalars][: len(scalars)] = scalars
        self._cursor[2] = 0
        mine = len(self._group.rows_of(batch))
        self._last_batch = mine
        if not self.step.weighted:
            program[inputs.sample_weight][:] = 1
            counted = mine if self._is_local else batch
            program[inputs.loss_weight][:] = self.step.loss.sample_weight(max(counted, 1))

    def _run_step(self, batch: int, mine: range, threads: int) -> None:
        done, number, in_call = self._cursor[:3].tolist()
        self._compute(batch, mine, threads, done, number)
        self._cursor[:3] = done, number, in_call
        if not self._is_local:
            self._exchange.add()
        if mine or not self._is_local:
            self._rest.run(1, self._rest.batch, threads)
        self._cursor[:3] = done + batch, number + 1, in_call + 1
        if self._is_local and self._ends_round(number + 1):
            for mean in self._means:
                mean.average()

    def _ends_round(self, steps: int) -> bool:
        """Whether the ranks go on from the mean of their parameters after the first `steps` steps of the pass."""
        return steps % self._group.sync_every == 0 or self.samples_done >= self._until

    def _compute(self, batch: int, mine: range, threads: int, done: int, number: int) -> None:
        """The gradients of this rank's rows, and what is recorded of them."""
        self._exchange.begin()
        if not mine:
            self._compute_nothing(number)
            return
        if self._exchange.scale is not None:
            self.step.program[self._exchange.scale][0] = self._scale_of_weights(batch, mine, done)
        self._cursor[0] = done + mine.start
        self._first.run(1, len(mine), threads)

    def _compute_nothing(self, number: int) -> None:
        assert self.step.gradients is not None
        self.step.gradients.flat[:] = 0
        for table in self._exchange.rows:
            table.list_nothing()
        losses, sums = self._log.arrays()
        losses[number], sums[number] = 0, 0

    def _scale_of_weights(self, batch: int, mine: range, done: int) -> float:
        """1 / Σ sample_weight of the batch, of samples that count by their labels times their number: each rank knows
        the order of all samples."""
        inputs, program, chunk = self.step.inputs, self.step.program, self._chunk_at_hand
        assert chunk is not None
        if len(self._indices) != batch:
            self._indices = np.zeros(batch, np.int64)
        cursor = self._cursor.copy()
        cursor[0] = 0 if self.step.full_batch else done
        if self.step.full_batch or not self.step.shuffles:
            call(k.sequential_indices, self._indices, cursor)
        else:
            call(k.permuted_indices, self._indices, cursor, program[inputs.order_key], len(chunk))
        counted = self._indices[mine.start : mine.stop] if self._is_local else self._indices
        weights = np.ones(len(counted)) if chunk.sample_weight is None else chunk.sample_weight[counted]
        if self._exchange.none is not None:
            weights = weights * (chunk.y[0][counted] != self._exchange.none).sum(axis=1)
        total = float(weights.sum(dtype=np.float64))
        return 1 / total if total else 0.0

    def _share_record(self, first: int, steps: int) -> None:
        """Add up what the ranks recorded of these steps."""
        losses, sums = (array[first : first + steps] for array in self._log.arrays())
        if not self._is_local:
            total = added(self._group, np.column_stack([losses, sums]))
            losses[...], sums[...] = total[:, 0], total[:, 1:]
            return
        parts = self._group.of_each(np.column_stack([losses, sums]))
        losses[...], sums[...] = _mean_record(parts)

    def first_not_finite(self, scalars: np.ndarray) -> str:
        """As of `Runner`; the first rank that finds one in its rows says where, else it is in the update."""
        batch = self.next_batch
        self.set_up_call(batch, scalars[None])
        mine, cursor = self._group.rows_of(batch), self._cursor.copy()
        self._exchange.begin()
        found = ""
        if mine:
            self._cursor[0] += mine.start
            found = first_not_finite(self._first, len(mine), self.step.names)
        else:
            self._compute_nothing(int(cursor[1]))
        told = next(((rank, one) for rank, one in enumerate(self._group.communicator.collect(found)) if one), None)
        if told is not None:
            return f"{told[1]} (of rank {told[0]})"
        self._cursor[:] = cursor
        if not self._is_local:
            self._exchange.add()
        return first_not_finite(self._rest, self._rest.batch, self.step.names) or "nowhere"


def _mean_record(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Losses and sums of all ranks' samples, of ranks that each took the mean over their own: (size, steps, 1 + w)."""
    losses, sums = parts[..., 0], parts[..., 1:].copy()
    penalties, weights = sums[..., 3], sums[..., 2]
    total = weights.sum(axis=0)
    shares = weights / np.where(total == 0, 1, total)
    mean_penalty = penalties.mean(axis=0)
    sums[..., 3] = 0
    whole = sums.sum(axis=0)
    whole[..., 3] = mean_penalty
    return ((losses - penalties) * shares).sum(axis=0) + mean_penalty, whole
