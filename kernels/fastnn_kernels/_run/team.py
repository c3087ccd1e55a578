"""A team of threads that enter one parallel region together, run phase after phase, and wait by spinning.

Entering a region costs 1 to 2.6 µs, because sleeping threads may have to be woken; a barrier of threads that spin costs
a tenth of that. Whether threads of a region do run at the same time is up to the threading layer: with fewer threads
than iterations, one thread runs two iterations one after the other, and would wait for itself. So the threads first
gather. Either all of them arrive within a bounded time, and from then on none can be missing, or all go back without
having done anything.

A team is an int64 vector: one line of state, then for each worker a line that only it writes, on which the first worker
waits, and a line that only the first worker writes, on which it waits.
"""

import sys

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastnn_kernels._jit import inline

LINE = 16  # words: two cache lines, because some processors fetch them in pairs
GATHERING, TOGETHER, GIVEN_UP = 0, 1, 2
STATE, ARRIVED = 0, 1  # words of the first line
SPINS = 2_000  # rounds of waiting before the processor is offered to others: some 50 µs
SPINS_TO_GATHER = 40_000  # about a millisecond
WORD = ir.IntType(64)


def team_words(workers: int) -> int:
    """The length of the vector of a team."""
    return LINE * (1 + 2 * workers)


@intrinsic
def _load(typing_context, address):
    """The word at an address, which another thread may write; later reads are not made before it."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(builder.inttoptr(args[0], WORD.as_pointer()), ordering="acquire", align=8)

    return types.int64(types.int64), codegen


@intrinsic
def _store(typing_context, address, value):
    """Write a word for other threads; earlier writes are seen before it."""

    def codegen(context, builder, signature, args):
        builder.store_atomic(args[1], builder.inttoptr(args[0], WORD.as_pointer()), ordering="release", align=8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def _increment(typing_context, address):
    """Add 1 to a word; what it was before."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", builder.inttoptr(args[0], WORD.as_pointer()), WORD(1), ordering="acq_rel")

    return types.int64(types.int64), codegen


@intrinsic
def _replace(typing_context, address, old, new):
    """Write `new` if the word is still `old`."""

    def codegen(context, builder, signature, args):
        at = builder.inttoptr(args[0], WORD.as_pointer())
        builder.cmpxchg(at, args[1], args[2], ordering="acq_rel", failordering="acquire")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def _pause(typing_context):
    """Tell the processor that this thread only waits."""

    def codegen(context, builder, signature, args):
        if context.codegen()._tm.triple.startswith(("x86_64", "i686")):
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def _offer(typing_context):
    """Offer the processor to other threads, where the C library of the system can."""

    def codegen(context, builder, signature, args):
        if sys.platform != "win32":
            kind = ir.FunctionType(ir.IntType(32), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@inline
def _wait_for(address, epoch):
    """Wait until the word at an address is `epoch` or more."""
    spins = 0
    while _load(address) < epoch:
        if spins < SPINS:
            spins += 1
            _pause()
        else:
            _offer()


@inline
def reset(team):
    """Make a team ready for the next region; no thread may be in one."""
    for i in range(team.shape[0]):
        team[i] = 0


@inline
def gathered(team, workers):
    """Whether all workers are in the region at the same time. Every worker gets the same answer."""
    state = team.ctypes.data + 8 * STATE
    if _increment(team.ctypes.data + 8 * ARRIVED) == workers - 1:
        _replace(state, GATHERING, TOGETHER)
    spins = 0
    while _load(state) == GATHERING:
        spins += 1
        _pause()
        if spins >= SPINS_TO_GATHER:
            _replace(state, GATHERING, GIVEN_UP)
    return _load(state) == TOGETHER


@inline
def barrier(team, worker, workers, epoch):
    """Wait until every worker has come to barrier number `epoch`, counted from 1."""
    arrivals = team.ctypes.data + 8 * LINE
    departures = arrivals + 8 * LINE * workers
    if worker == 0:
        for other in range(1, workers):
            _wait_for(arrivals + 8 * LINE * other, epoch)
        for other in range(1, workers):
            _store(departures + 8 * LINE * other, epoch)
    else:
        _store(arrivals + 8 * LINE * worker, epoch)
        _wait_for(departures + 8 * LINE * worker, epoch)
