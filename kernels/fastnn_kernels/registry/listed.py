"""Specs of what is done with the rows of a large table that occur in a batch."""

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import normal, random_ids, vector
from fastnn_kernels.registry.spec import named, spec

DIGITS = 2048


def list_rows(rng, dtype, shape):
    """m: room for one id more than there are, as in a last, smaller batch."""
    a, c, V = shape
    m = a + c + 1
    outputs = [np.full(m, -7, np.int32) for _ in range(5)]
    return *outputs, np.full(DIGITS, -7), random_ids(rng, V, (a,)), random_ids(rng, V, (c,)), V


def _list(rng, dtype, shape):
    args = list_rows(rng, dtype, shape)
    reference.list_rows(*args)
    return args[:3]


def _places(rng, heads):
    """A row of a gradient for each head, in no order, and the number of rows: some are left over."""
    rows = len(heads) + 2
    return rng.permutation(rows)[: len(heads)].astype(np.int32), rows


def clear(rng, dtype, shape):
    """Places as those of heads are: some are beyond the rows that there are."""
    a, V, n = shape
    return normal(rng, dtype, V, n), _list(rng, dtype, (a, 0, V))[0]


def embedding_backward(rng, dtype, shape):
    B, C, V, n, first = (*shape, 0)[:5]
    heads, ids, positions = _list(rng, dtype, (B * C, 0, V))
    places, rows = _places(rng, heads)
    dw, dout = normal(rng, dtype, rows, n), normal(rng, dtype, B, first + C * n)
    return dw, dout, heads, places, ids, positions, C, n, first, B % 2


def sampled_backward(rng, dtype, shape):
    S, B, V, n = shape
    *_, drawn, _, _ = args = list_rows(rng, dtype, (S, B, V))
    reference.list_rows(*args)
    heads, ids, positions = args[:3]
    firsts = np.where(np.isin(np.arange(S), np.unique(drawn, return_index=True)[1]), rng.permutation(S), -1)
    places, rows = _places(rng, heads)
    dw, db = normal(rng, dtype, rows, n), vector(rng, dtype, rows)[:, None]
    drows, dshifts, dscores = normal(rng, dtype, S, n), vector(rng, dtype, S), normal(rng, dtype, B, S + 1)
    found = heads, places, ids, positions, firsts.astype(np.int32)
    return dw, db, drows, dshifts, dscores, normal(rng, dtype, B, n), *found, n, S % 2


def update(states, scalars):
    """Inputs of an update with that many arrays of state, the last of which is ≥ 0."""

    def inputs(rng, dtype, shape):
        a, V, n = shape
        heads = _list(rng, dtype, (a, 0, V))[0]
        places, rows = _places(rng, heads)
        state = [normal(rng, dtype, V, n) for _ in range(states)]
        for array in state[-1:]:
            array *= array
        return normal(rng, dtype, V, n), *state, normal(rng, dtype, rows, n), heads, places, np.array(scalars, dtype)

    return inputs


def specs():
    odd = named((0, 3, 4), (1, 1, 1), (5, 3, 17), (13, 31, 5), (31, 7, 16), (9, 5000, 3))
    bench = {"words": (600, 50_000, 64)}
    tall = {"around": lambda r: (r, 10, 16)}
    lists = named((0, 0, 0), (1, 0, 1), (3, 2, 7), (17, 5, 2), (13, 40, 2049), (31, 20, 5_000_000))
    yield spec("list_rows", list_rows, lists, {"words": (256, 200, 50_000)})
    yield spec("clear_listed", clear, odd, bench, **tall)
    tables = named((0, 3, 5, 4), (1, 1, 1, 1), (4, 0, 3, 5), (13, 1, 31, 17), (5, 3, 7, 5), (5, 3, 7, 5, 2))
    cost = {"flops": lambda s: s[0] * s[1] * s[3], "terms": lambda s: s[0] * s[1]}
    size = {"around": lambda r: (r, 3, 10, 16)}
    words = {"words": (200, 3, 50_000, 64)}
    yield spec("embedding_backward_listed", embedding_backward, tables, words, **size, **cost)
    rows = named((1, 0, 3, 4), (1, 1, 1, 1), (5, 3, 7, 5), (13, 4, 31, 17), (3, 9, 5, 16))
    cost = {"flops": lambda s: (s[0] + 2 * s[1]) * s[3], "terms": lambda s: s[0] + s[1]}
    size = {"around": lambda r: (r, r, 10, 16)}
    yield spec("sampled_backward_listed", sampled_backward, rows, {"words": (256, 200, 50_000, 256)}, **size, **cost)
    beta1, beta2, step = 0.9, 0.999, 3
    adam = [0.1 / (1 - beta1**step), 1 - beta1, 1 - beta2, (1 - beta2**step) ** -0.5, 1e-8]
    for name, states, scalars in (
        ("sgd", 0, [0.15]),
        ("momentum", 1, [0.15, 0.85]),
        ("nesterov", 1, [0.15, 0.85]),
        ("rmsprop", 1, [0.1, 0.01, 1e-8]),
        ("adagrad", 1, [0.1, 1e-8]),
        ("adam", 2, adam),
        ("adamw", 2, [*adam, 0.001]),
    ):
        yield spec(f"{name}_update_listed", update(states, scalars), odd, bench, **tall)
