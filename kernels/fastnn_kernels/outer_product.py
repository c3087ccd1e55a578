"""Plain SGD on a dense layer, one sample a step: the weight's gradient is the outer product x ⊗ dout.

`sgd_outer_update` takes a step by it without storing it. The others take a block of steps at once. The steps before t
leave w − Σ_{s<t} lr·xₛ ⊗ doutₛ. So the scores of sample t follow from the products X·w and X·Xᵀ of the block's samples:

    xₜ·w − Σ_{s<t} lr·(xₜ·xₛ)·doutₛ

w itself is read and written once a block, by matrix products. It is the algebra of SGD, in another order of its sums.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel, rounded
from fastnn_kernels._tuning import ELEMENT, MC, MULTIPLY_ADD
from fastnn_kernels._window_product import add_taps

__all__ = ["add_earlier_steps", "add_matmul_xt", "keep_steps", "sgd_outer_update"]


@rounded
def _product(a, b):
    return a * b


@kernel(work=lambda w, x, dout, scalars, offset=0: 2 * ELEMENT * w.size, cut=("w",))
def sgd_outer_update(w, x, dout, scalars, offset=0):
    """w[r] −= lr · (x[offset + r] · dout): the bits of `matmul_xt` and `sgd_update` of one sample, in one pass

    w : (k, n)    x : (1, ≥ offset + k)    dout : (1, n)    scalars : (lr,)    offset : number of w's first row
    """
    # 13.2 us for 784 x 304 on one core with AVX-512, half of it on each of two; as two operations the gradient goes to
    # the cache and back.
    lr = scalars[0]
    d = dout[0]
    for r in prange(w.shape[0]):
        x0, own = x[0, offset + r], w[r]
        for j in range(own.shape[0]):
            own[j] -= lr * _product(x0, d[j])


@kernel(work=lambda w, x, dout, offset=0: MULTIPLY_ADD * w.size * x.shape[0], cut=("w",))
def add_matmul_xt(w, x, dout, offset=0):
    """w += xᵀ · dout: to rows offset ≤ r < offset + k of it, summed in ascending order of the samples

    w : (k, n)    x : (m, ≥ offset + k)    dout : (≥ m, n)    offset : number of w's first row
    """
    rows, columns = x.shape
    for block in prange((w.shape[0] + MC - 1) // MC):
        own = w[block * MC : block * MC + MC]
        at = offset + block * MC
        flat, samples = own.reshape(-1), x.reshape(-1)
        add_taps(flat, 0, own.shape[1], own.shape[0], samples, at, columns, 0, 1, dout[:rows], False)


@inline
def _add_four(own, g, kept, t):
    """own += g[t:t+4] · kept[t:t+4]: four rows for one load and one store of `own`"""
    g0, g1, g2, g3 = g[t], g[t + 1], g[t + 2], g[t + 3]
    k0, k1, k2, k3 = kept[t], kept[t + 1], kept[t + 2], kept[t + 3]
    for j in range(own.shape[0]):
        own[j] = g3 * k3[j] + (g2 * k2[j] + (g1 * k1[j] + (g0 * k0[j] + own[j])))


@kernel(cut=("out", "gram"))
def add_earlier_steps(out, gram, kept, offset=0):
    """out[i] += Σ_{t < offset + i} gram[i, t] · kept[t]: from x·w before the block to x·w at step offset + i of it

    out : (m, n)    gram : (m, ≥ offset + m), the products of samples    kept : (≥ offset + m, n), from `keep_steps`
    offset : number of the first sample in the block
    """
    for i in range(out.shape[0]):
        own, g, count = out[i], gram[i], offset + i
        fours = count - count % 4
        for t in range(0, fours, 4):
            _add_four(own, g, kept, t)
        for t in range(fours, count):
            for j in range(own.shape[0]):
                own[j] = g[t] * kept[t, j] + own[j]


@kernel(cut=("dout",))
def keep_steps(kept, dout, scalars, offset=0):
    """kept[offset + i] = −lr · dout[i]: what steps offset, offset + 1, … of a block add to w, each times its sample

    kept : (≥ offset + m, n)    dout : (m, n)    scalars : (lr,)    offset : number of the first sample in the block
    """
    lr = scalars[0]
    for i in range(dout.shape[0]):
        for j in range(dout.shape[1]):
            kept[offset + i, j] = -lr * dout[i, j]
