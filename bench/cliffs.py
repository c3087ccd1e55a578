"""Nets that are slower than their neighbours: the time of a training step over widths, batches and depths.

    python -m bench.cliffs --points points.jsonl --out cliffs.png [--threads 1] [--quick]

Dense nets whose layers are all equally wide, ReLU, softmax with cross-entropy, SGD, float32. The grid is dense around
powers of two and whole cache lines (15, 16, 17, 31, 32, 33, ...). Printed are maps of picoseconds a multiply-add, and
every pair of neighbours of which one is more than 1.5 times slower than bench/neighbours.py allows, measured again in
turns, with the reason if one is known. Exit status 1 if one has none.

Each net that is measured goes to the file of points; a run that was stopped goes on there. A net runs on the given
number of threads or on one, whichever is faster, as in training.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import fastnn as fn
from bench.cliff_map import draw, text_maps
from bench.interleave import compared
from bench.machine import complaint
from bench.neighbours import CLIFF, Cliff, Net, cliff, neighbours
from fastnn.data.chunk import Chunk
from fastnn.engine.threads import threads_at_hand
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train
from fastnn.training.steps.scalars import STEPS_PER_CALL

AROUND_LINES = (16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 272, 288)
AROUND_BATCHES = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
WIDTHS = sorted({1, 2, 3, 4, 6, 8, 10, 12, 200, 300} | {w + d for w in AROUND_LINES for d in (-1, 0, 1)})
BATCHES = sorted({*range(1, 10), 12, 100, 200, 999, 1000} | {b + d for b in AROUND_BATCHES for d in (-1, 0, 1)})
DEPTHS = list(range(1, 13))
QUICK_WIDTHS, QUICK_BATCHES, QUICK_DEPTHS = [1, 4, 15, 16, 17, 64, 256], [1, 4, 15, 16, 17, 200, 1000], [1, 2, 3, 12]
DEPTH, BATCH, WIDTH = 3, 100, 64  # of the maps in which they do not vary

SECONDS_A_ROUND, ROUNDS = 0.0015, 5  # the fastest round counts: the one that was disturbed least
PASSES = 2
PAIRS = 11  # turns of a pair that is measured again


def grid(quick: bool) -> dict[str, list[Net]]:
    """The nets of each map, by its title."""
    widths, batches, depths = (QUICK_WIDTHS, QUICK_BATCHES, QUICK_DEPTHS) if quick else (WIDTHS, BATCHES, DEPTHS)
    return {
        f"width and batch, depth {DEPTH}": [Net(w, b, DEPTH) for w in widths for b in batches],
        f"width and depth, batch {BATCH}": [Net(w, BATCH, d) for w in widths for d in depths],
        f"depth and batch, width {WIDTH}": [Net(WIDTH, b, d) for d in depths for b in batches],
    }


def round_of(net: Net, threads: int) -> Callable[[], float]:
    """What measures seconds a step on this number of threads, a round a call. All samples are one batch."""
    layers = [*(fn.Dense(net.width, "relu") for _ in range(net.depth - 1)), fn.Dense(net.width)]
    model, optimizer = fn.Sequential(layers, input_shape=(net.width,)), fn.SGD(1e-6)
    step = compile_train(model.network, model.state, net.batch, optimizer, shuffle=False, fused=True, full_batch=True)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((net.batch, net.width), np.float32)
    data, runner = Chunk((x,), (rng.integers(0, net.width, net.batch, np.int32),)), Runner(step)

    def run(steps: int) -> float:
        runner.start(data, passes=steps)
        runner.set_up_call(net.batch, optimizer.scalars(np.arange(steps)))
        step.program.prepare(net.batch, threads)
        begin = time.perf_counter()
        step.program.run(steps, net.batch, threads)
        return (time.perf_counter() - begin) / steps

    run(1)
    steps = max(1, min(STEPS_PER_CALL, math.ceil(SECONDS_A_ROUND / run(2))))
    return lambda: run(steps)


def measure(net: Net, threads: int) -> float:
    """Seconds of a step, on as many threads or on one."""
    rounds = [round_of(net, count) for count in sorted({1, threads})]
    return min(one() for one in rounds for _ in range(ROUNDS))


def again(one: Net, other: Net, threads: int) -> Cliff | None:
    """The cliff between two neighbours, of times that were taken in turns."""
    sides = [[round_of(net, count) for count in sorted({1, threads})] for net in (one, other)]
    timings = [tuple(min(run() for run in side) for side in sides) for _ in range(PAIRS)]
    result = compared(timings)
    return cliff(one, other, {one: result.ours, other: result.ours * result.ratio})


def read_points(path: Path, threads: int) -> dict[Net, list[float]]:
    """The seconds that the file holds for this number of threads, one or more of a net."""
    found: dict[Net, list[float]] = {}
    for row in map(json.loads, path.read_text("utf-8").splitlines() if path.exists() else ()):
        if row["threads"] == threads:
            found.setdefault(Net(*row["net"]), []).append(row["seconds"])
    return found


def sweep(nets: list[Net], path: Path, threads: int, passes: int = PASSES) -> dict[Net, float]:
    """Measure what the file does not hold yet, in passes over all nets; the fastest of each counts.

    A core that was withheld for half a minute in one pass then leaves no trace.
    """
    taken = read_points(path, threads)
    with path.open("a", encoding="utf-8") as file:
        for number in range(passes):
            for net in nets:
                if len(taken.setdefault(net, [])) <= number:
                    taken[net].append(measure(net, threads))
                    row = {"net": [net.width, net.batch, net.depth], "threads": threads, "seconds": taken[net][-1]}
                    print(json.dumps(row), file=file, flush=True)
    return {net: min(taken[net]) for net in nets}


def confirmed(seconds: dict[Net, float], threads: int) -> list[Cliff]:
    """The cliffs that are there when the pair is measured again, the highest first."""
    suspects = [pair for pair in neighbours(seconds) if cliff(*pair, seconds)]
    return sorted(filter(None, (again(*pair, threads) for pair in suspects)), key=lambda found: -found.excess)


def report(found: list[Cliff], seconds: dict[Net, float]) -> list[str]:
    """A line a cliff: those without a reason first."""
    lines = [f"{len(found)} pairs of neighbours beyond {CLIFF} x"]
    for one in sorted(found, key=lambda one: bool(one.reason)):
        times = " and ".join(f"{1e6 * seconds[net]:.1f} us" for net in (one.slow, one.quick))
        lines.append(
            f"{one.excess:5.2f} x  {one.slow}  beside  {one.quick}: {times}; {one.reason or 'no reason known'}"
        )
    return lines


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    most = threads_at_hand()
    parser.add_argument("--points", type=Path, required=True, help="the file of measured nets, read and added to")
    parser.add_argument("--out", type=Path, help="draw the maps into this PNG file")
    parser.add_argument("--threads", type=int, default=most, help=f"1 to {most}; {most}")
    parser.add_argument("--quick", action="store_true", help="a coarse grid")
    options = parser.parse_args()
    if not 1 <= options.threads <= most:
        parser.error(f"--threads: got {options.threads}, expected 1 to {most}, the threads that this process may use")
    return options


def main() -> int:
    options = arguments()
    if reason := complaint():
        print(f"{reason}; try again when it is gone", file=sys.stderr)
        return 2
    maps = grid(options.quick)
    seconds = sweep(sorted({net for nets in maps.values() for net in nets}), options.points, options.threads)
    found = confirmed(seconds, options.threads)
    print("\n\n".join(text_maps(maps, seconds)))
    print(*report(found, seconds), sep="\n")
    if options.out:
        draw(maps, seconds, found, options.threads, options.out)
    return 1 if any(not one.reason for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
