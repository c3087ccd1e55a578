"""A training step of every system, alone and beside other libraries, with the same threads, in one run.

`pytest bench/test_systems.py --benchmark-only`, with `-k trigram` for one system; with `-m peers -s` beside the others.
Before the clock starts the losses of fastnn and of the peer must agree: it is the same mathematics.
`python -m bench.report` makes the table.
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
from fastnn.engine.threads import usable_threads

# Warnings of the peers, say of torch.compile's own imports, are not ours to mend.
pytestmark = [pytest.mark.usefixtures("whole_machine"), pytest.mark.filterwarnings("ignore")]
# A step tries on how many threads it is fastest: in its first calls, when threads are slow to start, then each second.
SECONDS_TO_SETTLE = 1.5
SECONDS_A_ROW = 1.0  # of rounds on the clock
FEWEST_ROUNDS, MOST_ROUNDS = 7, 200
each_system = pytest.mark.parametrize("system", systems.ALL, ids=lambda system: system.id)


@each_system
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
    """fastnn and a peer in turns; figures are medians, the ratio that of the ratios pair by pair.

    They are in `extra_info`; what pytest-benchmark itself times is the whole comparison, which says nothing.
    """
    benchmark.group = "comparisons, as a whole"
    try:
        verify(system, peer)
        model, ours = systems.fastnn_runner(system)
        theirs = peer.runner(system, model, shuffle=True)
    except Absent as reason:
        pytest.skip(f"{peer.name}: {reason}")
    result = benchmark.pedantic(compare, args=(ours, theirs, system.checked), rounds=1)
    assert np.isfinite(ours(1)).all()
    record(benchmark, system, peer, result)


def verify(system, peer):
    """The same losses from the same parameters on the same batches, before anything is timed."""
    model, ours = systems.fastnn_runner(system, shuffle=False)
    theirs = peer.runner(system, model, shuffle=False)
    want = [float(loss) for loss in theirs(system.checked)]
    np.testing.assert_allclose(ours(system.checked), want, rtol=system.rtol)


def record(benchmark, system, peer, result):
    figures = {"fastnn us": 1e6 * result.ours, "peer us": 1e6 * result.theirs, "ratio": result.ratio}
    versions = {"fastnn": importlib.import_module("fastnn").__version__, "numba": numba.__version__}
    benchmark.extra_info |= {"system": system.id, "peer": peer.name, "threads": usable_threads()} | figures
    benchmark.extra_info["disturbed"] = complaint()  # asked again: others may have come since the module began
    benchmark.extra_info |= {"quartiles": list(result.spread), "versions": versions | {peer.package: peer.version()}}
    text = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
    sys.stderr.write(f"\n{system.id} beside {peer.name}: {text} ({result.spread[0]:.2f} to {result.spread[1]:.2f})\n")
