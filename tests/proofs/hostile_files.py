"""Damaged and forged files of every kind that fastnn reads: each is read, or refused in one line by fastnn's own error.

    python -m tests.proofs.hostile_files --size 1000000 --seed 0
    python -m tests.proofs.hostile_files --kind npz --seed 0 --only 4711     # repeats one input

Counted are crashes, hangs, exceptions that are not fastnn's, messages of several lines, and memory: more than 64 MB
over what a process had when it began. Inputs are made anew from seed, kind and number. `--size` is shared by all kinds;
kinds that cost a process each get a hundredth of an equal share.
"""

import faulthandler
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import click

from fastnn.common.errors import FastnnError
from fastnn.data.hdf5 import child_process
from tests.proofs.hostile_kinds import KINDS

SECONDS = 10  # an input
MOST_BYTES = 64 << 20  # of memory that a process may grow by
BATCH = 250  # inputs between two looks at the memory


class TooSlowError(Exception):
    """An input took more than its time."""


def input_of(kind, seed, number, good):
    """The input with this number: bytes."""
    return KINDS[kind].forge(good, random.Random(f"{seed}/{kind}/{number}"))


def fault_of(read, path):
    """What is wrong with how `read` takes a file; "" if nothing is."""
    try:
        read(path)
    except FastnnError as error:
        return f"a message of several lines: {error!r:.300}" if "\n" in str(error) else ""
    except TooSlowError:
        return f"took more than {SECONDS} s"
    except Exception as error:
        return f"{type(error).__name__}: {error!s:.300}"
    return ""


@contextmanager
def time_limit():
    """TooSlowError in Python code that takes too long; the process ends if it is in native code."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_):
        raise TooSlowError

    old = signal.signal(signal.SIGALRM, stop)
    try:
        yield
    finally:
        wake_after(0)
        signal.signal(signal.SIGALRM, old)


def wake_after(seconds):
    """Have SIGALRM sent after so many seconds, 0: not at all. Windows has no such signal."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def memory():
    """The most memory that this process has had in bytes, 0 where it is not told."""
    try:
        text = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return 0
    return 1024 * int(text.split("VmHWM:")[1].split()[0])


def faults(kind, seed, numbers, folder, at=None):
    """Yield (number, fault) for each of these inputs that is not taken as it should be."""
    path = folder / KINDS[kind].name
    KINDS[kind].make(path)
    good = path.read_bytes()
    assert not fault_of(KINDS[kind].read, path), fault_of(KINDS[kind].read, path)
    begun = memory()
    with time_limit():
        for count, number in enumerate(numbers):
            if at is not None:
                at.value = number
            path.write_bytes(input_of(kind, seed, number, good))
            wake_after(SECONDS)
            fault = fault_of(KINDS[kind].read, path)
            wake_after(0)
            if fault:
                yield number, fault
            if count % BATCH == 0:
                faulthandler.dump_traceback_later(3 * SECONDS + BATCH, exit=True)
                grown = memory() - begun
                if grown > MOST_BYTES:
                    yield number, f"{grown >> 20} MB of memory for this input or one of {BATCH} before it"
                    begun = memory()
    faulthandler.cancel_dump_traceback_later()


def work(kind, seed, numbers, at, found):
    """In a process of its own: `at` says which input it is at, if it dies."""
    child_process.SECONDS = 2
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        for one in faults(kind, seed, numbers, Path(folder), at):
            found.put(one)
    found.close()
    found.join_thread()


def in_processes(kind, seed, size, processes):
    """All (number, fault) of a kind. A process that dies is a fault of the input that it was at."""
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    found, all_faults, jobs = context.Queue(), [], []

    def start(numbers):
        at = context.Value("q", numbers.start, lock=False)
        process = context.Process(target=work, args=(kind, seed, numbers, at, found))
        process.start()
        jobs.append((process, at, numbers))

    for i in range(processes):
        start(range(size * i // processes, size * (i + 1) // processes))
    while jobs:
        while not found.empty():
            all_faults.append(found.get())
        for job in list(jobs):
            process, at, numbers = job
            if process.is_alive():
                continue
            jobs.remove(job)
            if process.exitcode:
                all_faults.append((at.value, f"the process died (status {process.exitcode})"))
                if at.value + 1 < numbers.stop:
                    start(range(at.value + 1, numbers.stop))
        time.sleep(0.02)
    while not found.empty():
        all_faults.append(found.get())
    return sorted(all_faults)


def sizes(size, kinds):
    """How many inputs of each kind."""
    cheap = [kind for kind in kinds if not KINDS[kind].costly]
    share = max(size // max(len(cheap), 1), 1)
    return {kind: max(share // 100, 1) if KINDS[kind].costly else share for kind in kinds}


def repeat(kind, seed, number):
    """One input, in this process: its exception is shown whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / KINDS[kind].name
        KINDS[kind].make(path)
        path.write_bytes(input_of(kind, seed, number, path.read_bytes()))
        KINDS[kind].read(path)


@click.command(help=__doc__.partition("\n")[0])
@click.option("--size", default=1_000_000, help="How many inputs.")
@click.option("--seed", default=0, help="Of all inputs.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Only this kind; may be repeated.")
@click.option("--processes", default=os.cpu_count(), help="How many at once.")
@click.option("--only", type=int, help="Repeat the one input with this number, of one kind.")
def main(size, seed, kinds, processes, only):
    if only is not None:
        repeat(kinds[0], seed, only)
        return
    total = bad = 0
    for kind, count in sizes(size, kinds or tuple(KINDS)).items():
        begun = time.monotonic()
        found = in_processes(kind, seed, count, min(processes, count))
        for number, fault in found[:20]:
            click.echo(f"FAULT --kind '{kind}' --seed {seed} --only {number}: {fault}")
        click.echo(f"{kind:12} {count:9,} inputs, {len(found)} faults, {time.monotonic() - begun:.0f} s")
        total, bad = total + count, bad + len(found)
    click.echo(f"{'all':12} {total:9,} inputs, {bad} faults")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
