"""The steps of a gated recurrent unit (GRU) through time, forward and backward. Cho et al. (2014), arXiv:1406.1078.

The form is the one whose reset gate acts after the product with the state, as cuDNN, PyTorch and Keras with
reset_after=True have it. The gates stand in PyTorch's order: r (reset), z (update), n (the new state).

A step needs the state of the step before, so what runs side by side is the samples: a block of them goes through all
steps on one thread. The products that do not wait for a state, those of the inputs and of the gradients of all weights,
are no part of these loops: they are convolutions with a window of one step, `conv2d_forward` and `conv2d_backward_w`.
"""

from numba import prange

from fastnn_kernels import _math
from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._product import product
from fastnn_kernels._tuning import ELEMENT, MULTIPLY_ADD, TRANSCENDENTAL

__all__ = ["gru_backward", "gru_forward"]

SAMPLES = 48  # of a block: whole tiles of a product, and few enough that their states stay near
# What a step multiplies goes by the tiles of `product`, not by its readable loop, which gives the same bits. 64 samples
# of 50 steps, 64 units, float32, one core of a Zen 4 with AVX-512: forward from 1.43 to 1.10 ms, backward from 2.40 to
# 1.20; 16 steps, 128 units: from 1.24 to 1.03 and from 1.75 to 1.12.


@inline
def _clear(rows, count):
    for b in range(rows.shape[0]):
        for j in range(count):
            rows[b, j] = 0


@inline
def _next_state(state, gates, inner, v, c):
    """One step of one sample: `state` (n,), that of the step before, becomes the new one; the others are of the step"""
    n = state.shape[0]
    for j in range(2 * n):
        gates[j] = _math.sigmoid(gates[j] + (v[j] + c[j]))
    r, z, new, last, bias = gates[:n], gates[n : 2 * n], gates[2 * n :], v[2 * n : 3 * n], c[2 * n : 3 * n]
    for j in range(n):
        inner[j] = last[j] + bias[j]
    for j in range(n):
        new[j] = _math.tanh(new[j] + r[j] * inner[j])
    for j in range(n):
        state[j] = new[j] + z[j] * (state[j] - new[j])


def _forward_work(state, h, gates, *rest):
    columns = rest[-1] * 3
    return state.shape[0] * rest[-2] * columns * (MULTIPLY_ADD * rest[-1] + TRANSCENDENTAL)


@kernel(work=_forward_work, outputs=5, per_sample=True, cut=("state", "h", "gates", "inner", "v"))
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
                own = h[b, at : at + n]
                for j in range(n):
                    own[j] = state[b, j]


@inline
def _add(own, row):
    for j in range(own.shape[0]):
        own[j] += row[j]


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


def _backward_work(da, dv, dh, through, dout, h, gates, inner, ut, S, T, n):
    return dh.shape[0] * T * 3 * n * (MULTIPLY_ADD * n + 4 * ELEMENT)


@kernel(
    work=_backward_work,
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
