"""Where the time of a step goes: `python -m bench.operations SYSTEM`, each operation timed while the step runs.

SYSTEM is the name of a system, such as trigram, or a word of the name of a net of bench/nets.py, such as ResNet.

Between two operations of a thread stands one that reads the clock, in the same table and the same compiled loop. So
each operation finds the caches as the one before left them; timed alone, again and again on the same arrays, it can
take half of that time. A reading of the clock takes some 30 ns, which are taken off. That is too much for steps of less
than 10 µs. The wait before the first phase is also the time between calls of the loop, which take 50 ms each.
"""

import ctypes
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import click
import numpy as np

import fastnn as fn
from bench import nets, systems
from bench.system import System
from fastnn.engine.ops import Op
from fastnn.engine.program import Program
from fastnn.engine.table import Entry, Table
from fastnn.engine.threads import usable_threads
from fastnn_kernels._jit import kernel

SECONDS, NANOSECONDS = 2, 3  # of a clock: the reading now, behind those of the one before
MONOTONIC = 1  # Linux's number of the clock that nobody sets
READINGS = 2_000  # in a row, to find out what one takes
WAIT = "(waits for other threads)"

if hasattr(ctypes.CDLL(None), "clock_gettime"):
    clock_gettime = ctypes.CDLL(None).clock_gettime
    clock_gettime.argtypes, clock_gettime.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_int


@kernel(cached=False, outputs=2)
def read_clock(total, clock):
    """total += (nanoseconds since the clock was read, 1)

    total : (2,)    clock : (4,) seconds and nanoseconds, of the last reading and of this one; all int64
    """
    clock_gettime(MONOTONIC, clock.ctypes.data + SECONDS * clock.itemsize)
    total[0] += (clock[SECONDS] - clock[0]) * 1_000_000_000 + clock[NANOSECONDS] - clock[1]
    total[1] += 1
    clock[0], clock[1] = clock[SECONDS], clock[NANOSECONDS]


@dataclass
class Timed:
    """An operation of a phase, or the wait before its phase.

    totals  what clocks add to, one of each worker's entry
    """

    phase: int
    owner: str
    kernel: str
    totals: list[np.ndarray] = field(default_factory=list)

    def nanoseconds(self, reading: float) -> float:
        return sum(total[0] - reading * total[1] for total in self.totals)

    @property
    def calls(self) -> int:
        return sum(int(total[1]) for total in self.totals)


class Clocks:
    """A program whose table has a reading of the clock behind each operation, and before each phase."""

    def __init__(self, program: Program, batch: int, workers: int):
        self.workers = workers
        self.rows: dict[tuple[int, int], Timed] = {}
        self._arrays: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # id of an entry -> its operands
        clocks = [np.zeros(4, np.int64) for _ in range(workers)]
        lists = [
            [self._with_readings(phase, entries, clocks[worker]) for worker, entries in enumerate(of_workers)]
            for phase, of_workers in enumerate(program.plan.entries(batch, workers), 1)
        ]

        def operands(entry: Entry) -> tuple:
            return self._arrays.get(id(entry)) or program._operands.of_entry(entry, batch=batch)

        def varies(op: Op) -> bool:
            return op.kernel is not read_clock and program._varies(op)

        # A program keeps a table for each batch and number of threads. It takes this one for its own.
        program._tables[batch, workers] = Table(lists, operands, varies)

    def _with_readings(self, phase: int, entries: Sequence[Entry], clock: np.ndarray) -> list[Entry]:
        if not entries:
            return []
        found = [self._reading(phase, None, clock)]
        for entry in entries:
            found += [entry, self._reading(phase, entry.op, clock)]
        return found

    def _reading(self, phase: int, op: Op | None, clock: np.ndarray) -> Entry:
        key = phase, id(op)
        if key not in self.rows:
            self.rows[key] = Timed(phase, op.owner if op else "", op.kernel.name if op else WAIT)
        total = np.zeros(2, np.int64)
        self.rows[key].totals.append(total)
        entry = Entry(Op(read_clock, (total, clock), "clock"), None, False, {})
        self._arrays[id(entry)] = total, clock
        return entry

    @property
    def steps(self) -> int:
        """How many steps ran: each begins with the wait before its first phase."""
        return max(int(total[1]) for total in next(iter(self.rows.values())).totals)

    def reset(self) -> None:
        for row in self.rows.values():
            for total in row.totals:
                total[:] = 0


def cost_of_reading() -> float:
    """Nanoseconds between two readings of the clock with nothing in between."""
    total, clock = np.zeros(2, np.int64), np.zeros(4, np.int64)
    reading = Entry(Op(read_clock, (total, clock), "clock"), None, False, {})
    table = Table([[[reading]]], lambda entry: (total, clock), lambda op: False)
    table.run(READINGS)
    total[:] = 0
    table.run(READINGS)
    return total[0] / total[1]


def measured(system: System, seconds: float) -> Clocks:
    """The clocks of a system's step, after it has run for so long."""
    _, step, run = systems.fastnn_step(system)
    run(system.checked)  # binds the data, compiles
    sets = [Clocks(step.program, system.batch, workers) for workers in {1, usable_threads()}]
    steps = _steps_of(run, seconds)
    run(steps)
    for one in sets:
        one.reset()
    run(steps)
    return max(sets, key=lambda one: one.steps)  # a step tries on how many threads it is fastest


def _steps_of(run: systems.Run, seconds: float) -> int:
    """How many steps take so long."""
    begin = time.perf_counter()
    run(1)
    return max(1, math.ceil(seconds / (time.perf_counter() - begin)))


def lines(clocks: Clocks, reading: float) -> list[str]:
    """A line for each operation, in the order of the step. reading : nanoseconds of one"""
    rows, steps = list(clocks.rows.values()), clocks.steps
    times = [max(0.0, row.nanoseconds(reading)) / steps / 1e3 for row in rows]
    share = [100 * took / sum(times) for took in times]
    found = [f"{'phase':>5}  {'µs a step':>10}  {'share':>6}  {'calls':>6}  {'layer':20}  kernel"]
    for row, took, part in zip(rows, times, share, strict=True):
        calls = row.calls / steps
        found.append(f"{row.phase:5}  {took:10.2f}  {part:4.1f} %  {calls:6.1f}  {row.owner:20.20}  {row.kernel}")
    threads = "one thread" if clocks.workers == 1 else f"{clocks.workers} threads together"
    return [*found, f"{'':5}  {sum(times):10.2f}  of {threads}, the mean of {steps} steps"]


def named(word: str) -> System:
    """The system of that name, or the first net whose name has the word. click.UsageError if there is none."""
    every = [*systems.ALL, *systems.ALONE, *nets.NETS]
    found = [one for one in every if one.id == word] or [one for one in every if word.lower() in one.id.lower()]
    if not found:
        raise click.UsageError(f"no system has the name {word!r}; there are {'; '.join(one.id for one in every)}")
    return found[0]


@click.command(help=__doc__)
@click.argument("system")
@click.option("--threads", type=int, help="All that are usable.")
@click.option("--seconds", type=float, default=1.0, show_default=True, help="For which the step runs.")
def main(system: str, threads: int | None, seconds: float) -> None:
    if not hasattr(ctypes.CDLL(None), "clock_gettime"):
        raise click.ClickException("there is no clock_gettime on this system: a step cannot read the clock")
    with fn.threads(threads or usable_threads()):
        print("\n".join(lines(measured(named(system), seconds), cost_of_reading())))


if __name__ == "__main__":
    main()
