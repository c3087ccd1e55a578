"""Other libraries doing the same steps, each as a practised user would write them, none handicapped.

A peer reads the layers of a `System`, starts from the fastnn model's own parameters, takes as many threads as
kernels do, float32, and the same batches in the same order when losses are compared. When the clock runs, every
epoch has a new permutation and each step gathers its batch; a step that takes all samples gathers nothing.

A library has several forms: eager or compiled, images with channels first or last, one call a step or a loop of steps
in one call, switches that are read when it starts. Which is fastest differs from network to network and from machine to
machine, so `bench.peers.fastest` tries them all and keeps the fastest, each in a process of its own.

JAX and TensorFlow take every core that the process may run on, and once they are imported their number cannot be
changed. To compare on fewer, start the whole run under `taskset` with NUMBA_NUM_THREADS set to match.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import fastnn as fn
from bench.system import System

Run = Callable[[int], Sequence]


class Absent(Exception):
    """Why a peer, or a form of it, cannot do a system here."""


@dataclass(frozen=True)
class Form:
    """One way of using a library.

    name         in tables
    traits       what the peer's module does differently, words that it looks for
    environment  variables of its process; flags for XLA are added to those that are set
    """

    name: str
    traits: frozenset[str] = frozenset()
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """A library: `name` in tables, the `package` it needs, the `module` here that drives it, its `forms`."""

    name: str
    package: str
    module: str
    forms: tuple[Form, ...]

    def runner(self, form: Form, system: System, model: fn.Sequential, shuffle: bool) -> Run:
        """run(steps) -> losses, from `model`'s parameters. Absent, with the reason, if it cannot be."""
        self.version()
        return importlib.import_module(self.module).runner(form.traits, system, model, shuffle)

    def version(self) -> str:
        try:
            return importlib.import_module(self.package).__version__
        except ImportError:
            raise Absent(f"{self.package} is not installed") from None


def _form(name: str, *traits: str, **environment: str) -> Form:
    return Form(name, frozenset(traits), environment)


# glibc gives memory of more than 32 MB back to the kernel when it is freed, and every step faults its pages in again.
# With these it keeps what it has: PyTorch's step of notmnist-mlp took 187 instead of 216 ms, each in a run of its own.
KEPT = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**32), "MALLOC_TOP_PAD_": str(2**28)}
# By default XLA compiles a loop into one function only if it touches less than 1 KB, else each operation of its body is
# a call of its own. Without that limit JAX's scan took 34 instead of 44 µs for a step of mnist-sgd, with AVX2.
WHOLE_LOOPS = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000"
WIDE_VECTORS = "--xla_cpu_prefer_vector_width=512"  # XLA's choice is 256 bits
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"

PEERS = (
    Peer(
        "PyTorch",
        "torch",
        "bench.peers.torch_peer",
        (
            _form("eager"),
            _form("eager, memory kept", **KEPT),
            _form("eager, optimizer not fused", "not fused"),
            _form("eager, channels first", "channels first"),
            _form("eager, one thread", "one thread"),
            _form("compiled", "compiled"),
            _form("compiled, memory kept", "compiled", **KEPT),
            _form("compiled, called from C++", "compiled", "called from C++"),
            _form("compiled, channels first", "compiled", "channels first"),
        ),
    ),
    Peer(
        "JAX",
        "jax",
        "bench.peers.jax_peer",
        (
            _form("step"),
            _form("scan", "scan"),
            _form("scan, 8 steps unrolled", "scan", "unrolled"),
            _form("scan, whole loops", "scan", XLA_FLAGS=WHOLE_LOOPS),
            _form(
                "scan, whole loops, 512-bit vectors, one thread",
                "scan",
                XLA_FLAGS=f"{WHOLE_LOOPS} {WIDE_VECTORS} {ONE_THREAD}",
            ),
        ),
    ),
    Peer(
        "Keras",
        "keras",
        "bench.peers.keras_peer",
        (
            _form("step"),
            _form("step, XLA", "xla"),
            _form("loop", "loop"),
            _form("loop, XLA", "loop", "xla"),
        ),
    ),
    Peer("scikit-learn", "sklearn", "bench.peers.sklearn_peer", (_form("partial_fit"),)),
)
