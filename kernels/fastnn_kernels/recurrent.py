"""The steps of recurrent layers through time, forward and backward; their gates stand in PyTorch's order.

A gated recurrent unit (GRU), Cho et al. (2014), arXiv:1406.1078: r (reset), z (update), n (the new state). The form is
the one whose reset gate acts after the product with the state, as cuDNN, PyTorch and Keras with reset_after=True have
it.

Long short-term memory (LSTM), Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000): i (input),
f (forget), g (the new cell), o (output). It has no peepholes, as in cuDNN, PyTorch and Keras.

A step needs the state of the step before, so what runs side by side is the samples: a block of them goes through all
steps on one thread. The products that do not wait for a state, those of the inputs and of the gradients of all weights,
are no part of these loops: they are convolutions with a window of one step, `conv2d_forward` and `conv2d_backward_w`.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._math import elementary
from fastnn_kernels._math.elementary import rounded_product
from fastnn_kernels._products.product import product
from fastnn_kernels._tuning import ELEMENT, MULTIPLY_ADD, TRANSCENDENTAL

__all__ = ["gru_backward", "gru_forward", "lstm_backward", "lstm_forward"]

SAMPLES = 48  # of a block: whole tiles of a product, and few enough that their states stay near
# What a step multiplies goes by the tiles of `product`, not by its readable loop, which gives the same bits. 64 samples
# of 50 steps of a GRU, 64 units, float32, one core of a Zen 4 with AVX-512: forward from 1.43 to 1.10 ms, backward from
# 2.40 to 1.20; 16 steps, 128 units: from 1.24 to 1.03 and from 1.75 to 1.12.


@inline
def _clear(rows, count):
    for b in range(rows.shape[0]):
        for j in range(count):
            rows[b, j] = 0


@inline
def _copy(own, row):
    for j in range(own.shape[0]):
        own[j] = row[j]


@inline
def _add(own, row):
    for j in range(own.shape[0]):
        own[j] += row[j]


@inline
def _next_state(state, gates, inner, v, c):
    """One step of one sample: `state` (n,), that of the step before, becomes the new one; the others are of the step"""
    n = state.shape[0]
    for j in range(2 * n):
        gates[j] = elementary.sigmoid(gates[j] + (v[j] + c[j]))
    r, z, new, last, bias = gates[:n], gates[n : 2 * n], gates[2 * n :], v[2 * n : 3 * n], c[2 * n : 3 * n]
    for j in range(n):
        inner[j] = last[j] + bias[j]
    for j in range(n):
        new[j] = elementary.tanh(new[j] + r[j] * inner[j])
    for j in range(n):
        state[j] = new[j] + z[j] * (state[j] - new[j])


def _gru_forward_work(state, h, gates, *rest):
    columns = rest[-1] * 3
    return state.shape[0] * rest[-2] * columns * (MULTIPLY_ADD * rest[-1] + TRANSCENDENTAL)


@kernel(work=_gru_forward_work, outputs=5, per_sample=True, cut=("state", "h", "gates", "inner", "v"))
def gru_forward(state, h, gates, inner, v, u, c, T, n):
    """The states of T steps, from h[−1] = 0:

    r = sigmoid(a_r + v_r + c_r)    z = sigmoid(a_z + v_z + c_z)    inner = v_n + c_n
    new = tanh(a_n + r · inner)     h[t] = new + z · (h[t−1] − new)    where v = h[t−1] · u

    a = x · w + b of all steps is in `gates`, where r, z and new take its place. `inner` is kept for the gradients.

    state : (B, ≥ n), the last one; columns from n on are 0 and stay    h, inner : (B, ≥ T·n), of every step
    gates : (B, ≥ T·3n)    v : (B, 3n and padding), those of the last step    u : (n, columns of v)    c : (≥ 3n,)
    """
    for block in prange((state.shape[0] + SAMPLES - 1) // SAMPLES):
        first, last = block * SAMPLES, min(block * SAMPLES + SAMPLES, state.shape[0])
        _clear(state[first:last], n)
        _clear(v[first:last], v.shape[1])
        for t in range(T):
            at, wide = t * n, 3 * t * n
            if t > 0:
                product(v[first:last], state[first:last], u)
            for b in range(first, last):
                _next_state(state[b, :n], gates[b, wide : wide + 3 * n], inner[b, at : at + n], v[b], c)
                _copy(h[b, at : at + n], state[b])


@inline
def _gate_gradients(da, dv, dh, h, gates, inner, t):
    """Step t of one sample: the gradients of its gates, and what of dh goes past them, dh · z. da, dv, gates: (3n,)"""
    n, one = dh.shape[0], type(dh[0])(1)
    r, z, new = gates[:n], gates[n : 2 * n], gates[2 * n :]
    dr, dz, dn, dn_inner = da[:n], da[n : 2 * n], da[2 * n :], dv[2 * n :]
    for j in range(n):
        dn[j] = dh[j] * (one - z[j]) * (one - new[j] * new[j])
    for j in range(n):
        dr[j] = dn[j] * inner[j] * (r[j] * (one - r[j]))
    for j in range(n):
        dz[j] = dh[j] * -new[j] * (z[j] * (one - z[j]))
    if t > 0:
        before = h[(t - 1) * n : t * n]
        for j in range(n):
            dz[j] = dh[j] * (before[j] - new[j]) * (z[j] * (one - z[j]))
    for j in range(2 * n):
        dv[j] = da[j]
    for j in range(n):
        dn_inner[j] = dn[j] * r[j]
        dh[j] *= z[j]


def _gru_backward_work(da, dv, dh, through, dout, h, gates, inner, ut, S, T, n):
    return dh.shape[0] * T * 3 * n * (MULTIPLY_ADD * n + 4 * ELEMENT)


@kernel(
    work=_gru_backward_work,
    outputs=4,
    per_sample=True,
    cut=("da", "dv", "dh", "through", "dout", "h", "gates", "inner"),
)
def gru_backward(da, dv, dh, through, dout, h, gates, inner, ut, S, T, n):
    """Backpropagation through the T steps of `gru_forward`, from the last one: dh of a step is the sum of what its
    output gets from above and what comes from the step behind it, dh · z + dv · uᵀ.

    da      : (B, ≥ T·3n)  of x·w + b, in the gates' order r, z, n
    dv      : (B, ≥ T·3n)  of h[t−1]·u + c: the same, but that of n is multiplied by r
    dh      : (B, ≥ n)     dh · z of step 0        through : (B, n and padding), dv · uᵀ of step 1; of one step: 0
    dout    : (B, ≥ S·n)   of the last S states, S = 1 or T: the others are no output
    h, gates, inner : as `gru_forward` left them            ut      : (3n, columns of through), the transpose of u
    """
    for block in prange((dh.shape[0] + SAMPLES - 1) // SAMPLES):
        first, last = block * SAMPLES, min(block * SAMPLES + SAMPLES, dh.shape[0])
        _clear(dh[first:last], n)
        _clear(through[first:last], through.shape[1])
        for t in range(T - 1, -1, -1):
            at, wide = t * n, 3 * t * n
            for b in range(first, last):
                own = dh[b, :n]
                _add(own, through[b, :n])
                if t >= T - S:
                    above = (t - T + S) * n
                    _add(own, dout[b, above : above + n])
                of_a, of_v = da[b, wide : wide + 3 * n], dv[b, wide : wide + 3 * n]
                _gate_gradients(of_a, of_v, own, h[b], gates[b, wide : wide + 3 * n], inner[b, at : at + n], t)
            if t > 0:
                product(through[first:last], dv[first:last, wide : wide + 3 * n], ut)


@inline
def _next_cell(state, gates, cells, squashed, v, c):
    """One step of one sample: `cells` (2n,) holds the cell before it, and gets the new one behind that"""
    n = state.shape[0]
    i, f, g, o = gates[:n], gates[n : 2 * n], gates[2 * n : 3 * n], gates[3 * n :]
    before, cell, last, bias = cells[:n], cells[n:], v[3 * n : 4 * n], c[3 * n : 4 * n]
    for j in range(2 * n):
        gates[j] = elementary.sigmoid(gates[j] + (v[j] + c[j]))
    for j in range(n):
        g[j] = elementary.tanh(g[j] + (v[2 * n + j] + c[2 * n + j]))
    for j in range(n):
        o[j] = elementary.sigmoid(o[j] + (last[j] + bias[j]))
    for j in range(n):
        cell[j] = f[j] * before[j] + rounded_product(i[j], g[j])
    for j in range(n):
        squashed[j] = elementary.tanh(cell[j])
    for j in range(n):
        state[j] = o[j] * squashed[j]


def _lstm_forward_work(state, *rest):
    T, n = rest[-2:]
    return state.shape[0] * T * n * (4 * MULTIPLY_ADD * n + 5 * TRANSCENDENTAL)


@kernel(work=_lstm_forward_work, outputs=6, per_sample=True, cut=("state", "h", "gates", "cells", "squashed", "v"))
def lstm_forward(state, h, gates, cells, squashed, v, u, c, T, n):
    """The states of T steps, from h[−1] = 0 and cell[−1] = 0:

    i, f, o = sigmoid(a + v + c)    g = tanh(a + v + c)    where v = h[t−1] · u, each with its own columns
    cell[t] = f · cell[t−1] + i · g                        h[t] = o · tanh(cell[t])

    a = x · w + b of all steps is in `gates`, where i, f, g and o take its place.

    state : (B, ≥ n), the last one; columns from n on are 0 and stay    h : (B, ≥ T·n), of every step
    gates : (B, ≥ T·4n)    v : (B, 4n and padding), those of the last step    u : (n, columns of v)    c : (≥ 4n,)
    cells : (B, ≥ (T+1)·n), cell[−1] first                 squashed : (B, ≥ T·n), the tanh of the others
    """
    for block in prange((state.shape[0] + SAMPLES - 1) // SAMPLES):
        first, last = block * SAMPLES, min(block * SAMPLES + SAMPLES, state.shape[0])
        _clear(state[first:last], n)
        _clear(cells[first:last], n)
        _clear(v[first:last], v.shape[1])
        for t in range(T):
            at, wide = t * n, 4 * t * n
            if t > 0:
                product(v[first:last], state[first:last], u)
            for b in range(first, last):
                of_step, around = gates[b, wide : wide + 4 * n], cells[b, at : at + 2 * n]
                _next_cell(state[b, :n], of_step, around, squashed[b, at : at + n], v[b], c)
                _copy(h[b, at : at + n], state[b])


@inline
def _cell_gradients(da, dcell, dh, gates, before, squashed):
    """One step of one sample: the gradients of its gates, and of the cell before it, which `dcell` becomes"""
    n, one = dh.shape[0], type(dh[0])(1)
    i, f, g, o = gates[:n], gates[n : 2 * n], gates[2 * n : 3 * n], gates[3 * n :]
    di, df, dg, do = da[:n], da[n : 2 * n], da[2 * n : 3 * n], da[3 * n :]
    for j in range(n):
        do[j] = dh[j] * squashed[j] * (o[j] * (one - o[j]))
    for j in range(n):
        dcell[j] += dh[j] * o[j] * (one - squashed[j] * squashed[j])
    for j in range(n):
        di[j] = dcell[j] * g[j] * (i[j] * (one - i[j]))
    for j in range(n):
        df[j] = dcell[j] * before[j] * (f[j] * (one - f[j]))
    for j in range(n):
        dg[j] = dcell[j] * i[j] * (one - g[j] * g[j])
    for j in range(n):
        dcell[j] *= f[j]


def _lstm_backward_work(da, dcell, dh, dout, gates, cells, squashed, ut, S, T, n):
    return dh.shape[0] * T * 4 * n * (MULTIPLY_ADD * n + 4 * ELEMENT)


@kernel(
    work=_lstm_backward_work,
    outputs=3,
    per_sample=True,
    cut=("da", "dcell", "dh", "dout", "gates", "cells", "squashed"),
)
def lstm_backward(da, dcell, dh, dout, gates, cells, squashed, ut, S, T, n):
    """Backpropagation through the T steps of `lstm_forward`, from the last one: dh of a step is da · uᵀ of the step
    behind it, and what its output gets from above.

    da    : (B, ≥ T·4n)  of x·w + b, and of h[t−1]·u + c, in the gates' order i, f, g, o
    dcell : (B, ≥ n)     of cell[−1]             dh : (B, n and padding), of the state of step 0
    dout  : (B, ≥ S·n)   of the last S states, S = 1 or T: the others are no output
    gates, cells, squashed : as `lstm_forward` left them            ut : (4n, columns of dh), the transpose of u
    """
    for block in prange((dh.shape[0] + SAMPLES - 1) // SAMPLES):
        first, last = block * SAMPLES, min(block * SAMPLES + SAMPLES, dh.shape[0])
        _clear(dcell[first:last], n)
        _clear(dh[first:last], dh.shape[1])
        for t in range(T - 1, -1, -1):
            at, wide = t * n, 4 * t * n
            if t < T - 1:
                product(dh[first:last], da[first:last, wide + 4 * n : wide + 8 * n], ut)
            for b in range(first, last):
                own, above = dh[b, :n], (t - T + S) * n
                if above >= 0:
                    _add(own, dout[b, above : above + n])
                of_gates, of_step = da[b, wide : wide + 4 * n], gates[b, wide : wide + 4 * n]
                before, new = cells[b, at : at + n], squashed[b, at : at + n]
                _cell_gradients(of_gates, dcell[b, :n], own, of_step, before, new)
