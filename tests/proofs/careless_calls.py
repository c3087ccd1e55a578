"""Careless callers: calls of the public API and of every kernel, with hostile arguments, crash nothing.

    python -m tests.proofs.careless_calls --size 100000 --seed 0
    python -m tests.proofs.careless_calls --only 4711

Each call is drawn by its seed. Of the public API it must end with an answer or with fastnn's own error, one that a
`raise` in fastnn made; an argument in another layout must give the same bits. Kernels trust their sizes and indices, so
they get right ones, but any numbers; their arrays lie between guards, which must stay as they are, and the numbers of
which must not show in what is computed. Processes of their own make the calls, so that a signal or a hang is seen.
"""

import argparse
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.processes import usable_processors
from tests.proofs.calls_made import KINDS, Caller, kind_of

COMMAND = [sys.executable, "-m", "tests.proofs.careless_calls", "--worker"]
SECONDS = 60  # that one call may take, however busy the machine is
BYTES = 12 << 30  # that a process may ask for
STATE = struct.Struct("qd")  # the seed of the call that runs, and when it began


def calls(first, last, note=lambda seed: None):
    """Make the calls of these seeds; yields (seed, what ended it, what is wrong)."""
    caller = Caller()
    try:
        for seed in range(first, last):
            note(seed)
            yield (seed, *caller.call(seed))
    finally:
        caller.close()


def worker(first, last, place):
    """A process that makes calls; it writes into the file `place` which one it is at, and its results to stdout."""
    import resource  # here: Windows has none, and the tests import this file there, too

    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    with open(place, "r+b") as file:
        state = mmap.mmap(file.fileno(), STATE.size)

        def note(seed):
            state[:] = STATE.pack(seed, time.monotonic())

        for result in calls(first, last, note):
            os.write(RESULTS, json.dumps(result).encode() + b"\n")


RESULTS = 3  # a descriptor of its own: what calls print is not a result


class Process:
    """A worker and what it has said so far."""

    def __init__(self, first, last, folder):
        self.last, self.place, self.said = last, folder / f"state{first}", folder / f"said{first}"
        self.place.write_bytes(STATE.pack(first, time.monotonic() + 60))
        command = [*COMMAND, str(first), str(last), str(self.place)]
        with self.said.open("wb") as said, (folder / f"noise{first}").open("wb") as noise:
            redirected = 'exec "$@" 3>&1 1>&2'
            self.child = subprocess.Popen(
                ["/bin/sh", "-c", redirected, "sh", *command], stdout=said, stderr=noise, stdin=subprocess.DEVNULL
            )
        self.noise = folder / f"noise{first}"

    @property
    def seed(self):
        return STATE.unpack(self.place.read_bytes())[0]

    def hangs(self):
        return self._is_late() and not time.sleep(1) and self._is_late()  # it may have been written just then

    def _is_late(self):
        return time.monotonic() - STATE.unpack(self.place.read_bytes())[1] > SECONDS

    def results(self):
        return [json.loads(line) for line in self.said.read_text("utf-8").splitlines()]


def run(first, last, folder):
    """All results of the calls of these seeds: after one that ends its process, another one goes on."""
    results = []
    while first < last:
        process = Process(first, last, folder)
        while process.child.poll() is None and not process.hangs():
            time.sleep(0.2)
        hung, status = process.child.poll() is None, process.child.poll()
        if hung:
            process.child.kill()
            process.child.wait()
        results += process.results()
        if status == 0:
            break
        told = process.noise.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        results.append((process.seed, "hang" if hung else "end", f"{_ended(hung, status)} {told}"))
        first = process.seed + 1
    return results


def _ended(hung, status):
    if hung:
        return f"no end within {SECONDS} s"
    return signal.Signals(-status).name if status < 0 else f"exit {status}"


def report(results):
    """Print the counts of each kind and the failures; whether there are some."""
    counts = Counter((kind_of(seed), ended) for seed, ended, _ in results)
    for kind in KINDS:
        of_kind = {ended: count for (name, ended), count in counts.items() if name == kind}
        ended = ", ".join(f"{count:,} {what}" for what, count in sorted(of_kind.items()))
        print(f"{kind:8} {sum(of_kind.values()):8,} calls: {ended}")
    wrong = [(seed, told) for seed, _, told in results if told]
    for seed, told in wrong[:1000]:
        print(f"seed {seed}: {told}".replace("\n", " "))
    print(f"{len(results):,} calls: {len(wrong)} failures")
    return bool(wrong)


def main(size, seed, processes):
    from concurrent.futures import ThreadPoolExecutor

    bounds = [seed + size * i // processes for i in range(processes + 1)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(processes) as pool:
        parts = pool.map(lambda i: run(bounds[i], bounds[i + 1], Path(folder)), range(processes))
        return report([result for part in parts for result in part])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=usable_processors())
    parser.add_argument("--only", type=int)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        worker(int(given.worker[0]), int(given.worker[1]), given.worker[2])
    elif given.only is not None:
        print(*calls(given.only, given.only + 1))
    else:
        sys.exit(main(given.size, given.seed, given.processes))
