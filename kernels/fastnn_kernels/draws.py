"""Which classes a step of the sampled softmax draws: with replacement, class v with probability q[v].

A class that is drawn several times is listed once, with how often it was drawn: what is computed for a class grows with
the number of distinct ones alone. `sampled` has the scores.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import SERIAL_ELEMENT
from fastnn_kernels.dropout import LOW, _philox, _step_words

__all__ = ["alias_table", "distinct_classes", "draw_classes"]


@kernel(outputs=3)
def alias_table(thresholds, aliases, pending, q):
    """A table by which one of V classes is drawn in constant time, class v with probability q[v] / Σ q

    thresholds : (V,) float64, aliases : (V,)  draw a cell uniformly, and u in [0, 1): the class is the cell where
                                               u < thresholds[cell], else aliases[cell]
    pending    : (V,) scratch
    q          : (V,) ≥ 0, not all 0

    Walker (1977), made in linear time as by Vose (1991). Cells short of 1 wait at the front of `pending`, fuller ones
    at its back; the rest of a short one is filled by a full one.
    """
    V = q.shape[0]
    total = 0.0
    for v in range(V):
        total += np.float64(q[v])
    short, full = 0, V
    for v in range(V):
        thresholds[v] = np.float64(q[v]) / total * V
        aliases[v] = v
        if thresholds[v] < 1:
            pending[short] = v
            short += 1
        else:
            full -= 1
            pending[full] = v
    while short > 0 and full < V:
        short -= 1
        filled, filler = pending[short], pending[full]
        aliases[filled] = filler
        thresholds[filler] -= 1 - thresholds[filled]
        if thresholds[filler] < 1:
            pending[short] = filler
            short += 1
            full += 1
    for i in range(short):  # only rounding has left these short of 1
        thresholds[pending[i]] = 1


@kernel(work=lambda ids, *rest: 4 * SERIAL_ELEMENT * ids.size, cut=("ids",))
def draw_classes(ids, thresholds, aliases, key, cursor, stream, offset=0):
    """ids[s] = a class, drawn by `alias_table`: a function of (key, stream, cursor[1], offset + s)

    ids                 : (S,), from number `offset` on of those that a step draws
    thresholds, aliases : (V,), V < 2³²
    key                 : (≥ 2,) uint64; fresh ones for every epoch
    cursor              : (4,) int64, as `batch` explains
    stream              : number of the layer that draws
    """
    a, b = _step_words(key, cursor, stream)
    for s in prange(ids.shape[0]):
        near, far = _philox(np.uint64(offset + s), a, b)
        cell = np.int64(((near & LOW) * np.uint64(thresholds.shape[0])) >> np.uint64(32))
        u = np.float64(np.int64(far & LOW)) * 2.0**-32
        ids[s] = cell if u < thresholds[cell] else aliases[cell]


@kernel(outputs=5)
def distinct_classes(classes, times, firsts, count, slots, ids):
    """The drawn classes, each once, in the order of their first draws, and how often each was drawn

    classes, times : (S,)  the first count[0] of them
    firsts         : (S,)  of draw s: the place of ids[s] among `classes` if that class was not drawn before, else −1
    count          : (1,)
    slots          : (V,)  uint32, scratch: the places of the classes. What is in it before does not matter: only a
                           place where the class itself stands counts (Briggs and Torczon 1993)
    ids            : (S,)  in [0, V)
    """
    found = 0
    for s in range(ids.shape[0]):
        v = ids[s]
        place = slots[v]
        if place < found and classes[place] == v:
            times[place] += 1
            firsts[s] = -1
        else:
            classes[found], times[found] = v, 1
            slots[v] = firsts[s] = found
            found += 1
    count[0] = found
