"""The limits that kernels are compared with: chains that stay in registers, and shares that cannot lie."""

import math

import pytest
from llvmlite import ir
from numba import types

from bench import ceiling, probes
from bench.ceiling import Limits, shares
from fastnn_kernels._products.registers import registers_in
from fastnn_kernels._products.tile import REALS
from tests.assembly import PROCESSORS, assembly, busiest_block, multiply_adds, spills
from tests.kernels.cases import needs_jit

KB = 1 << 10
SIZES = {"L1": 32 * KB, "L2": 512 * KB, "L3": 4096 * KB}


def a_machine(flops=100.0, tile=80.0):
    bandwidth = {("L1", 1): 200.0, ("L2", 1): 100.0, ("L3", 1): 50.0, ("memory", 1): 10.0}
    bandwidth |= {(level, 2): 2 * value for (level, _), value in bandwidth.items()}
    return Limits({("float32", 1): flops}, {("float32", 1): tile}, bandwidth, SIZES, 1.0)


@pytest.mark.parametrize("real", [types.float32, types.float64])
@pytest.mark.parametrize(("triple", "processor", "registers", "each"), PROCESSORS)
def test_the_chains_stay_in_registers(triple, processor, registers, each, real):
    """Chains on the stack would wait for memory, and the limit would be less than what kernels reach."""
    number = REALS[real][0]

    def emit(builder, arguments):
        count, left, right, out = arguments
        builder.store(probes.emit_multiply_adds(builder, real, registers, count, (left, right)), out)

    kinds = [ir.IntType(64), number, number, number.as_pointer()]
    loop = busiest_block(assembly(emit, kinds, triple, processor))
    found = multiply_adds(loop)
    assert registers_in(loop) == registers
    assert len(found) % probes.CHAINS == 0  # LLVM may write several rounds out
    assert len(found) > 0
    assert not spills(loop)


@pytest.mark.parametrize(
    ("size", "threads", "microseconds"),
    [
        (0, 1, 0.0),
        (32 * KB, 1, 32 * KB / 200e3),
        (33 * KB, 1, 32 * KB / 200e3 + 1 * KB / 100e3),
        (512 * KB, 1, 32 * KB / 200e3 + 480 * KB / 100e3),
        (512 * KB, 2, 64 * KB / 400e3 + 448 * KB / 200e3),
        (5 * 1024 * KB, 2, 64 * KB / 400e3 + 960 * KB / 200e3 + 3072 * KB / 100e3 + 1024 * KB / 20e3),
    ],
)
def test_each_level_gives_what_it_can_hold(size, threads, microseconds):
    machine = a_machine()
    assert machine.seconds_for(size, threads) == pytest.approx(1e-6 * microseconds)
    if size:
        assert machine.bandwidth_for(size, threads) == pytest.approx(size / microseconds / 1e3)
    else:
        assert machine.bandwidth_for(size, threads) == math.inf


def test_shares(monkeypatch):
    monkeypatch.setattr(ceiling, "limits", lambda: a_machine())
    assert shares(60, 4 * KB, 1.0, "float32", 1) == {"% of limit": 60.0, "% of tile": 75.0}
    assert shares(0, 100, 1.0, "float32", 1) == {"% of limit": 50.0}


def test_more_than_the_machine_can_is_an_error(monkeypatch):
    measured = []

    def limits():
        measured.append(1)
        return a_machine()

    limits.cache_clear = lambda: measured.append("again")
    monkeypatch.setattr(ceiling, "limits", limits)
    with pytest.raises(RuntimeError, match=r"more than the machine can.*'% of tile': 106"):
        shares(85, 0, 1.0, "float32", 1)
    with pytest.raises(RuntimeError, match=r"'% of limit': 120"):
        shares(0, 240, 1.0, "float32", 1)
    assert "again" in measured


def test_limits_that_were_disturbed_are_measured_again(monkeypatch):
    machines = [a_machine(flops=10, tile=10), a_machine()]
    limits = lambda: machines[0]  # noqa: E731
    limits.cache_clear = lambda: machines.pop(0)
    monkeypatch.setattr(ceiling, "limits", limits)
    assert shares(60, 0, 1.0, "float32", 1)["% of limit"] == 60.0


def test_sizes_that_are_measured_lie_in_their_level():
    for threads in (1, 2, 64):
        held = {level: size * (1 if level == "L3" else threads) for level, size in SIZES.items()}
        assert ceiling._measured_at("L1", SIZES, threads) <= held["L1"]
        assert held["L1"] < ceiling._measured_at("L2", SIZES, threads) <= held["L2"]
        assert ceiling._measured_at("memory", SIZES, threads) > 2 * held["L3"]


@needs_jit
def test_a_hot_tile_computes_a_product():
    run = probes.hot_tile()
    if run is None:
        pytest.skip("no micro-tile for this processor")
    out, a, b = probes.tile_operands("float32", 1)
    run(out, a, b, 2)
    assert (out == 0.25 * probes.TILE_DEPTH).all()
