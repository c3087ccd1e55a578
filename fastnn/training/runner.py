"""The walk through a data set, batch by batch: what a plan gathers, where it is, what it has recorded."""

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

import fastnn_kernels as k
from fastnn.common import random
from fastnn.data.source import Feed
from fastnn.engine.autotune import Pace
from fastnn.engine.builder import NOISE_WORDS, Builder, Value
from fastnn.engine.memory import Buffer
from fastnn.engine.program import Program
from fastnn.engine.threads import usable_threads
from fastnn.nn.losses import Loss
from fastnn.training.step_log import Records
from fastnn_kernels._jit import Kernel
from fastnn_kernels.batch import ROUNDS

# Signals and callbacks are looked at between compiled calls; a person notices delays from about 100 ms.
SECONDS_PER_CALL = 0.05
STEPS_PER_CALL = 1024


class Walk:
    """A program over a data set, in batches of `batch` samples, the last one shorter; `Plan` adds what a step computes.

    whole   whether every step takes the whole data set: it is gathered once, in its own order
    """

    def __init__(self, loss: Loss, dtype, batch: int, *, training=False, shuffle=False, weighted=False, whole=False):
        self.loss = loss
        self.build = Builder(batch, dtype, training)
        self.batch = batch
        self.weighted = weighted
        self.whole = whole
        self._records = Records(loss, training)
        self._nothing: dict[np.dtype, np.ndarray] = {}
        self._pace = Pace()
        self._weighted_for = 0
        self._last_batch = 0
        self._outside = {
            name: Buffer(name, (), np.dtype(dtype)) for name in ("x", "y", "weights", "losses", "sums", "count")
        }
        self._declare()
        self._shuffles = shuffle
        self._emit_indices(shuffle)

    def _declare(self) -> None:
        build = self.build
        self._key = build.array("key", (2 * ROUNDS,), np.uint64)
        self._indices = build.array("indices", (self.batch,), np.int64, batched=True)
        self._importance = build.array("importance", (self.batch,), batched=True)
        self._weight = build.array("weight", (self.batch,), batched=True)
        self._rates_table: Buffer | None = None

    def _emit_indices(self, shuffle: bool) -> None:
        if self.whole:
            self.build.emit_once(k.sequential_indices, self._indices, self.build.cursor)
        elif shuffle:
            operands = (self._indices, self.build.cursor, self._key, self._outside["count"])
            self.build.emit(k.permuted_indices, *operands)
        else:
            self.build.emit(k.sequential_indices, self._indices, self.build.cursor)

    def _gather_rows(self, name: str, shape: tuple[int, ...], dtype) -> Value:
        value = self.build.value(name, shape, dtype)
        self._emit_gathering(k.gather_rows, value.buffer, name)
        return value

    def _gather_values(self, name: str, buffer: Buffer) -> Buffer:
        self._emit_gathering(k.gather_values, buffer, name)
        return buffer

    def _emit_gathering(self, kernel: Kernel, buffer: Buffer, name: str) -> None:
        emit = self.build.emit_once if self.whole else self.build.emit
        emit(kernel, buffer, self._outside[name], self._indices)

    def emit_weights(self) -> None:
        """Emit the weights of the batch's samples, unless all count alike."""
        if not self.weighted:
            return
        self._gather_values("weights", self._importance)
        if self.loss.reduction == "mean":
            self.build.emit(k.normalise_weights, self._weight, self._importance)
        else:
            self._weight = self._importance

    def emit_record(self, loss: Buffer, correct: Buffer) -> None:
        """Emit the end of a step: loss and accuracy recorded, the cursor moved on."""
        sums = (self._outside["losses"], self._outside["sums"], self.build.cursor)
        self.build.emit(k.record_step, *sums, loss, correct, self._importance, self._weight)

    def emit_end(self) -> None:
        """Emit the end of a step that records nothing."""
        self.build.emit(k.advance_cursor, self.build.cursor, self._indices)

    def emit_rates(self, width: int) -> Buffer:
        """Emit the choice of this step's rates among those that `advance` is given; where they stand."""
        self._rates_table = self.build.array("rates of a call", (STEPS_PER_CALL, width))
        rates = self.build.array("rates", (width,))
        self.build.emit(k.select_rates, rates, self._rates_table, self.build.cursor)
        return rates

    def finish(self, private: Sequence[np.ndarray] = ()) -> None:
        """Place the buffers: nothing is emitted after this. `private`: see `Program`."""
        self.program = Program(self.build, tuple(self._outside.values()), private)

    def start(
        self,
        x: np.ndarray,
        y: np.ndarray | None = None,
        weights: np.ndarray | None = None,
        *,
        key: np.ndarray | None = None,
        noise: np.ndarray | None = None,
        passes: int = 1,
        samples: int | None = None,
    ) -> None:
        """Begin a walk through x (N, columns) with targets y and sample weights (N,).

        `key` chooses the order of the samples, `noise` the random numbers of this walk. Where each step takes the
        whole data set, a walk may make many `passes`. `samples`: of the whole walk, where x holds but its first
        ones, whole batches of them, and `go_on` brings the others.
        """
        assert passes == 1 or self.whole
        self._total = (samples or len(x)) * passes
        self._records.begin(-(-self._total // self.batch))
        losses, sums = self._records.arrays()
        self.program.bind({self._outside["losses"]: losses, self._outside["sums"]: sums})
        self.program[self.build.cursor][:] = 0
        if noise is not None:
            self.program[self.build.noise][:] = noise
        self._hold(x, y, weights, key, len(x) * passes)
        if self.whole:
            self.program.begin(len(x))

    def through(self, feed: Feed, *, seed: int | None = None, epoch: int = 0) -> Iterator[None]:
        """Walk through all that feeds it, window by window: after each yield `advance` until `next_batch` is 0.

        With a seed random numbers are drawn, and samples shuffled if the plan does that, by seed and epoch.
        """
        for number, window in enumerate(feed.windows(self.batch, seed if self._shuffles else None, epoch)):
            key = None if seed is None else _order_key(seed, epoch, number)
            if number:
                self.go_on(*window, key=key)
            else:
                noise = None if seed is None else random.key(seed, "noise", epoch, words=NOISE_WORDS)
                self.start(*window, key=key, noise=noise, samples=feed.samples)
            yield

    def go_on(
        self, x: np.ndarray, y: np.ndarray | None, weights: np.ndarray | None, *, key: np.ndarray | None = None
    ) -> None:
        """Go on with the walk's next samples, when those before are used up."""
        self.program[self.build.cursor][3] = self.done
        self._hold(x, y, weights, key, len(x))

    def _hold(self, x, y, weights, key: np.ndarray | None, uses: int) -> None:
        """Hand the program the arrays that it gathers from; `uses`: samples to take of them."""
        arrays = {"x": x.reshape(len(x), -1), "y": self._or_nothing(y, x), "weights": self._or_nothing(weights, x)}
        self.program.bind({self._outside[name]: array for name, array in (arrays | {"count": len(x)}).items()})
        if key is not None:
            self.program[self._key][:] = key
        self._until = self.done + uses

    def _or_nothing(self, array: np.ndarray | None, x: np.ndarray) -> np.ndarray:
        """`array`, or in its place one without elements: the same at every start, so that nothing is encoded anew."""
        if array is not None:
            return array
        return self._nothing.setdefault(x.dtype, np.zeros(0, x.dtype))

    def release(self) -> None:
        """Let go of the arrays of the walk: a plan that is kept must not keep a user's data alive."""
        self.program.unbind()

    def prepare(self) -> None:
        """Compile, or load from disk, what the walk that was started will need."""
        for batch in {min(self.batch, self._total), self._total % self.batch} - {0}:
            self.program.prepare(batch, usable_threads())

    def advance(self, limit: int | None = None, rates: Callable[[int], np.ndarray] | None = None) -> int:
        """Run the next steps, as many as fit into 50 ms and `limit`; how many: 0 at the end of the data.

        `rates(steps)` gives what the optimizer's kernel reads in each of the steps, (steps, r).
        """
        batch = self.next_batch
        if batch <= 0:
            return 0
        steps = self._left // batch if batch == self.batch else 1
        threads = usable_threads() if self.program.is_shared(batch, usable_threads()) else 1
        threads, fitting = self._pace.choose(threads, SECONDS_PER_CALL)
        steps = min(steps, fitting, limit or steps, STEPS_PER_CALL)
        self._set_up_call(batch, rates(steps) if rates is not None else None)
        self.program.prepare(batch, threads)
        begin = time.perf_counter()
        self.program.run(steps, batch, threads)
        if batch == self.batch:  # the last, shorter batch says nothing of the others
            self._pace.ran(threads, steps, time.perf_counter() - begin)
        return steps

    def _set_up_call(self, batch: int, rates: np.ndarray | None) -> None:
        """What the steps of one call read: their rates (steps, r), their number, the weights of their samples."""
        if rates is not None and self._rates_table is not None:
            self.program[self._rates_table][: len(rates)] = rates
        self.program[self.build.cursor][2] = 0
        self._weigh(batch)
        self._last_batch = batch

    def _weigh(self, batch: int) -> None:
        """Set the weights of samples that count alike."""
        if not self.weighted and self._weighted_for != batch:
            self.program[self._importance][:] = 1
            self.program[self._weight][:] = self.loss.sample_weight(batch)
            self._weighted_for = batch

    @property
    def losses(self) -> np.ndarray:
        """Of each step of the walk so far, penalties included, float64; 0 for steps to come."""
        return self._records.losses

    @property
    def done(self) -> int:
        """Samples used so far."""
        return int(self.program[self.build.cursor][0])

    @property
    def _left(self) -> int:
        """Samples still to be taken of the arrays at hand."""
        return self._until - self.done

    @property
    def steps_done(self) -> int:
        return int(self.program[self.build.cursor][1])

    @property
    def next_batch(self) -> int:
        """How many samples the next step has; 0 where those at hand are used up."""
        return min(self.batch, self._left)

    def metrics(self) -> dict[str, float]:
        """Loss and accuracy of all samples used so far."""
        return self.metrics_between(0, self.steps_done)

    def metrics_between(self, first: int, last: int) -> dict[str, float]:
        """`metrics` of steps first ≤ step < last."""
        return self._records.metrics(first, last)

    def position(self) -> list[np.ndarray]:
        """The arrays that say where the walk is and what it has recorded."""
        return [self.program[self.build.cursor], *self._records.arrays()]


def _order_key(seed: int, epoch: int, window: int) -> np.ndarray:
    """What chooses the order of a window's samples; data in memory are the window 0."""
    return random.key(seed, "order", epoch, *([window] if window else []), words=2 * ROUNDS)
