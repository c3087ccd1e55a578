"""One side of `python -m bench.against`: times the steps and kernels of a checkout, a turn at each request.

It runs as a file, `python bench/one_side.py CHECKOUT`, so that it also serves a revision that does not have it. Of the
checkout it needs `ALL` and `fastnn_runner` of `bench.systems`, and for kernels `fastnn_kernels.registry`. Requests and
answers are lines of JSON; an answer is {"ok": result} or {"error": text}.
"""

import itertools
import json
import math
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS_A_TURN = 0.02
# A process that stood still meets cold caches and threads that sleep: the first part of a turn is not timed.
WARM = 4  # a quarter as much
# A step tries on how many threads it is fastest: in its first calls, when threads are slow to start, then each second.
SECONDS_TO_SETTLE = 1.5
KERNEL_CALLS = 5  # the fewest in a turn

Turn = Callable[[], float]  # seconds a step, or a call


def _seconds(run: Callable[[int], Any], steps: int) -> float:
    begin = time.perf_counter()
    run(steps)
    return time.perf_counter() - begin


def steps_a_turn(run: Callable[[int], Any]) -> int:
    """How many steps fill a turn, when the step has settled on a number of threads."""
    end = time.perf_counter() + SECONDS_TO_SETTLE
    steps = 1
    while _seconds(run, steps) < SECONDS_A_TURN / 2:
        steps *= 2
    while time.perf_counter() < end:
        run(steps)
    seconds = min(_seconds(run, steps) for _ in range(3))
    return max(1, math.ceil(steps * SECONDS_A_TURN / seconds))


def system_turn(system: Any, fastnn_runner: Callable) -> tuple[Turn, list[float]]:
    """A system's turn, and the losses of its first steps."""
    _, run = fastnn_runner(system)
    losses = [float(loss) for loss in run(system.checked)]
    steps = steps_a_turn(run)

    def turn() -> float:
        run(max(1, steps // WARM))
        return _seconds(run, steps) / steps

    return turn, losses


def kernel_turn(spec: Any, shape: str, twin: str) -> tuple[Turn, list[float]]:
    """A kernel's turn: the median of its calls, before each of which the outputs are restored, off the clock."""
    import numpy as np

    function, args = getattr(spec.kernel, twin), spec.inputs(np.random.default_rng(0), np.float32, spec.bench[shape])
    before = [array.copy() for array in args[: spec.outputs]]

    def call() -> float:
        for array, values in zip(args, before, strict=False):
            np.copyto(array, values)
        begin = time.perf_counter()
        function(*args)
        return time.perf_counter() - begin

    def turn() -> float:
        end, seconds = time.perf_counter() + SECONDS_A_TURN, []
        while len(seconds) < KERNEL_CALLS or time.perf_counter() < end:
            seconds.append(call())
        return statistics.median(seconds[len(seconds) // WARM :])

    call()
    return turn, [float(array.sum(dtype=np.float64)) for array in args[: spec.outputs]]


class Checkout:
    """The work that a checkout can be asked for: a system's id, or "kernel size twin"."""

    def __init__(self, root: Path):
        import fastnn

        if root not in Path(fastnn.__file__).resolve().parents:
            raise ImportError(f"fastnn comes from {fastnn.__file__}, expected it in {root}")
        try:
            from bench import systems

            found = (*systems.ALL, *getattr(systems, "ALONE", ()))
            self._systems, self._runner = {system.id: system for system in found}, systems.fastnn_runner
        except (ImportError, AttributeError) as error:
            lacking = "it has no `ALL` and `fastnn_runner` in bench.systems"
            raise ImportError(f"{lacking} ({error}); choose a later revision") from None
        self._turns: dict[str, Turn] = {}

    def works(self, kernels: list[str]) -> list[str]:
        """The ids of all systems, and of every size and twin of these kernels."""
        return [*self._systems, *(work for name in kernels for work in self._kernel_works(name))]

    def _kernel_works(self, name: str) -> Iterator[str]:
        from fastnn_kernels.registry import REGISTRY

        spec = REGISTRY.get(name)
        if spec is None:
            return
        parallel = spec.kernel.work and os.environ["NUMBA_NUM_THREADS"] != "1"
        for shape, twin in itertools.product(spec.bench, ("serial", "parallel") if parallel else ("serial",)):
            yield f"{name} {shape} {twin}"

    def prepare(self, work: str) -> list[float]:
        """Compile and warm up; returns the figures by which both sides can be compared."""
        if work in self._systems:
            self._turns[work], figures = system_turn(self._systems[work], self._runner)
            return figures
        from fastnn_kernels.registry import REGISTRY

        name, shape, twin = work.split(" ")
        self._turns[work], figures = kernel_turn(REGISTRY[name], shape, twin)
        return figures

    def turn(self, work: str) -> float:
        """Seconds a step or a call of what was prepared."""
        return self._turns[work]()


def _answer(checkout: Checkout, request: list) -> dict[str, Any]:
    name, *arguments = request
    try:
        return {"ok": getattr(checkout, name)(*arguments)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main(folder: str) -> None:
    root, here = Path(folder).resolve(), Path(__file__).resolve().parent
    sys.path = [str(root), str(root / "kernels"), *(path for path in sys.path if Path(path).resolve() != here)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the other process, which ends this one
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed must not get among the answers
    checkout = None
    for line in sys.stdin:
        try:
            checkout = checkout or Checkout(root)
            answer = _answer(checkout, json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
