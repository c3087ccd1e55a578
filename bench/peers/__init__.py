"""Other libraries doing the same steps, each as a practised user would write them, none handicapped.

A peer reads the layers of a `System`, starts from the fastnn model's own parameters, takes as many threads as
kernels do, float32, and the same batches in the same order when losses are compared. When the clock runs, every
epoch has a new permutation and each step gathers its batch; a step that takes all samples gathers nothing.

JAX takes every core that the process may run on, and once it is imported their number cannot be changed. To compare on
fewer, start the whole run under `taskset` with NUMBA_NUM_THREADS set to match.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import fastnn as fn
from bench.systems import System

Run = Callable[[int], Sequence]


class Absent(Exception):
    """Why a peer cannot do a system here."""


@dataclass(frozen=True)
class Peer:
    """A library in one of its forms: `name` in tables, the `package` it needs, the `module` here that drives it."""

    name: str
    package: str
    module: str
    form: str

    def runner(self, system: System, model: fn.Sequential, shuffle: bool) -> Run:
        """run(steps) -> losses, from `model`'s parameters. Absent, with the reason, if it cannot be."""
        self.version()
        return importlib.import_module(self.module).runner(self.form, system, model, shuffle)

    def version(self) -> str:
        try:
            return importlib.import_module(self.package).__version__
        except ImportError:
            raise Absent(f"{self.package} is not installed") from None


PEERS = (
    Peer("PyTorch", "torch", "bench.peers.torch_peer", "eager"),
    Peer("torch.compile", "torch", "bench.peers.torch_peer", "compiled"),
    Peer("JAX", "jax", "bench.peers.jax_peer", "step"),
    Peer("JAX scan", "jax", "bench.peers.jax_peer", "scan"),
    Peer("scikit-learn", "sklearn", "bench.peers.sklearn_peer", "partial_fit"),
)
