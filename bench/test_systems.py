"""A training step of every system, alone and beside other libraries, with the same threads, in one run.

`pytest bench/test_systems.py --benchmark-only`, with `-k trigram` for one system; with `-m peers -s` beside the others.
Each peer is tried in all its forms, and the fastest is compared. Before a form is tried, its losses and those of
fastnn must agree: it is the same mathematics. `python -m bench.report` makes the table.
"""

import importlib
import math
import sys
import time

import numba
import numpy as np
import pytest

from bench import systems
from bench.interleave import compare
from bench.machine import complaint
from bench.peers import PEERS, Absent
from bench.peers.fastest import fastest
from fastnn.engine.threads import usable_threads

# Warnings of the peers, say of torch.compile's own imports, are not ours to mend.
pytestmark = [pytest.mark.usefixtures("whole_machine"), pytest.mark.filterwarnings("ignore")]
# A step tries on how many threads it is fastest: in its first calls, when threads are slow to start, then each second.
SECONDS_TO_SETTLE = 1.5
SECONDS_A_ROW = 1.0  # of rounds on the clock
FEWEST_ROUNDS, MOST_ROUNDS = 7, 200
each_system = pytest.mark.parametrize("system", systems.ALL, ids=lambda system: system.id)


@pytest.mark.parametrize("system", [*systems.ALL, *systems.ALONE], ids=lambda system: system.id)
def test_fastnn_step(benchmark, system):
    """fastnn alone. A round has as many steps in every run, so that two states of the source can be compared
    (`--benchmark-compare`).
    """
    model, run = systems.fastnn_runner(system)
    benchmark.group = f"{system.id} step"
    losses = run(system.checked)
    assert np.isfinite(losses).all()
    assert losses[-5:].mean() < 1.1 * losses[:5].mean()  # nothing that blows up is worth timing
    benchmark.pedantic(run, args=(system.checked,), rounds=settled_rounds(run, system.checked))
    info = {"system": system.id, "steps a round": system.checked, "threads": usable_threads()}
    benchmark.extra_info |= info | {"parameters": systems.parameters(model)}
    if benchmark.stats is not None:  # --benchmark-disable
        benchmark.extra_info["fastnn us"] = 1e6 * benchmark.stats.stats.median / system.checked


def settled_rounds(run, steps):
    """How many rounds fill SECONDS_A_ROW, within bounds, when the step has settled on a number of threads."""
    begin, seconds = time.perf_counter(), []
    while (now := time.perf_counter()) - begin < SECONDS_TO_SETTLE:
        run(steps)
        seconds.append(time.perf_counter() - now)
    return max(FEWEST_ROUNDS, min(MOST_ROUNDS, math.ceil(SECONDS_A_ROW / min(seconds))))


@pytest.mark.peers
@each_system
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_beside(benchmark, system, peer):
    """fastnn and a peer's fastest form in turns; figures are medians, the ratio that of the ratios pair by pair.

    They are in `extra_info`; what pytest-benchmark itself times is the whole comparison, which says nothing.
    """
    benchmark.group = "comparisons, as a whole"
    _, ours = systems.fastnn_runner(system)
    try:
        with fastest(peer, system, check=agreement(system)) as found:
            result = benchmark.pedantic(compare, args=(ours, found.remote, system.checked), rounds=1)
    except Absent as reason:
        pytest.skip(f"{peer.name}: {reason}")
    assert np.isfinite(ours(1)).all()
    record(benchmark, system, peer, found, result)


def agreement(system):
    """A function that fails for other losses than fastnn's from the same parameters on the same batches."""
    _, ours = systems.fastnn_runner(system, shuffle=False)
    want = ours(system.checked)
    return lambda losses: np.testing.assert_allclose(want, losses, rtol=system.rtol)


def record(benchmark, system, peer, found, result):
    figures = {"fastnn us": 1e6 * result.ours, "peer us": 1e6 * result.theirs, "ratio": result.ratio}
    versions = {"fastnn": importlib.import_module("fastnn").__version__, "numba": numba.__version__}
    benchmark.extra_info |= {"system": system.id, "peer": peer.name, "threads": usable_threads()} | figures
    tried = {name: 1e6 * took if isinstance(took, float) else took for name, took in found.tried.items()}
    benchmark.extra_info |= {"form": found.remote.form.name, "forms us": tried}
    benchmark.extra_info["disturbed"] = complaint()  # asked again: others may have come since the module began
    benchmark.extra_info |= {"quartiles": list(result.spread), "versions": versions | {peer.package: peer.version()}}
    text = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
    quartiles = f"{result.spread[0]:.2f} to {result.spread[1]:.2f}"
    sys.stderr.write(f"\n{system.id} beside {peer.name}, {found.remote.form.name}: {text} ({quartiles})\n")
