"""A peer in a process of its own.

A form may need variables that are read when a library starts. And what ran in a process before may slow down what runs
after it: eager PyTorch has taken ten times as long for a step where other networks had run.
"""

import contextlib
import multiprocessing
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor

from bench import nets, systems
from bench.interleave import clock
from bench.peers import Form, Peer, Run
from bench.system import System

ADDED = "XLA_FLAGS"  # the variable that is a list


@contextlib.contextmanager
def own_process(environment: Mapping[str, str]) -> Iterator[ProcessPoolExecutor]:
    """A new Python process that starts with these variables too; flags for XLA are added to those that are set."""
    changed = dict(environment)
    if ADDED in changed:
        changed[ADDED] = f"{os.environ.get(ADDED, '')} {changed[ADDED]}".strip()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        with _variables(changed):
            pool.submit(os.getpid).result()  # a process starts when it is first needed
        yield pool


@contextlib.contextmanager
def _variables(changed: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Remote:
    """A form of a peer on a system, in a process of its own that has been started for it."""

    def __init__(self, pool: ProcessPoolExecutor, peer: Peer, form: Form, system: System):
        self.form, self._pool = form, pool
        self._what = peer, form, system.id  # an optimizer's kernel cannot be pickled

    def losses(self, steps: int) -> list[float]:
        """Those of the first steps from the model's parameters, on the batches in their order."""
        return self._pool.submit(_losses, *self._what, steps).result()

    def start(self) -> None:
        """Begin again at the model's parameters, shuffled; Absent, with the reason, if it cannot be."""
        self._pool.submit(_start, *self._what).result()

    def seconds(self, steps: int) -> float:
        """How long the next steps take, by the clock of that process."""
        return self._pool.submit(_seconds, steps).result()


# What follows runs in the peer's process.
_run: Run | None = None


def _runner(peer: Peer, form: Form, system: str, shuffle: bool) -> Run:
    found = next(one for one in (*systems.ALL, *nets.NETS, *nets.COMPARED.values()) if one.id == system)
    return peer.runner(form, found, found.model(), shuffle)


def _losses(peer: Peer, form: Form, system: str, steps: int) -> list[float]:
    run = _runner(peer, form, system, shuffle=False)
    return [float(loss) for loss in run(steps)]


def _start(peer: Peer, form: Form, system: str) -> None:
    global _run
    _run = _runner(peer, form, system, shuffle=True)


def _seconds(steps: int) -> float:
    assert _run, "not started"
    return clock(_run, steps)
