"""Plain SGD on a dense layer, one sample a step: the weight's gradient is the outer product x ⊗ dout.

`sgd_outer_update` takes a step by it without storing it, `sgd_outer_step` in the pass over w that multiplies it with
the next sample: the same bits. The others take a block of steps at once. The steps before t
leave w − Σ_{s<t} lr·xₛ ⊗ doutₛ. So the scores of sample t follow from the products X·w and X·Xᵀ of the block's samples:

    xₜ·w − Σ_{s<t} lr·(xₜ·xₛ)·doutₛ

w itself is read and written once a block, by matrix products. It is the algebra of SGD, in another order of its sums.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._math.elementary import rounded_product
from fastnn_kernels._products.product import product
from fastnn_kernels._products.window_product import add_taps
from fastnn_kernels._tuning import ELEMENT, MC, MULTIPLY_ADD

__all__ = ["add_earlier_steps", "add_matmul_xt", "first_matmul", "keep_steps", "sgd_outer_step", "sgd_outer_update"]


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
            own[j] -= lr * rounded_product(x0, d[j])


@kernel
def first_matmul(out, x, w):
    """out[0] = x[0] · w; other rows of out stay

    out : (m, n)    x : (m, ≥ k)    w : (k, n)
    """
    product(out[:1], x[:1], w)


@inline
def _step_four(w, x, following, r, d, lr, out):
    """The step of rows r to r + 3 of w, which are then added to `out`: four rows for one load and one store of it"""
    w0, w1, w2, w3 = w[r], w[r + 1], w[r + 2], w[r + 3]
    x0, x1, x2, x3 = x[r], x[r + 1], x[r + 2], x[r + 3]
    f0, f1, f2, f3 = following[r], following[r + 1], following[r + 2], following[r + 3]
    for j in range(out.shape[0]):
        a0, a1 = w0[j] - lr * rounded_product(x0, d[j]), w1[j] - lr * rounded_product(x1, d[j])
        a2, a3 = w2[j] - lr * rounded_product(x2, d[j]), w3[j] - lr * rounded_product(x3, d[j])
        w0[j], w1[j], w2[j], w3[j] = a0, a1, a2, a3
        out[j] = f3 * a3 + (f2 * a2 + (f1 * a1 + (f0 * a0 + out[j])))


@inline
def _step_and_product(out, w, x, following, d, lr):
    """w −= lr · (x ⊗ d), and out = following · w, in one pass over w"""
    fours = w.shape[0] - w.shape[0] % 4
    for j in range(out.shape[0]):
        out[j] = 0
    for r in range(0, fours, 4):
        _step_four(w, x, following, r, d, lr, out)
    for r in range(fours, w.shape[0]):
        own, x0, f0 = w[r], x[r], following[r]
        for j in range(out.shape[0]):
            a0 = own[j] - lr * rounded_product(x0, d[j])
            own[j] = a0
            out[j] = f0 * a0 + out[j]


@kernel(outputs=2)
def sgd_outer_step(out, w, x, dout, scalars, sample):
    """w −= lr · (x[sample] ⊗ dout), then out[sample + 1] = x[sample + 1] · w if there is such a sample

    The bits are those of `sgd_outer_update` and `matmul`.

    out : (m, n)    w : (k, n)    x : (m, ≥ k)    dout : (1, n)    scalars : (lr,)    sample : number of a row of x
    """
    # 10.3 us for 784 x 304 on one core with AVX-512, where the update takes 7.4 and the product 8.0.
    lr, d, x0 = scalars[0], dout[0], x[sample]
    if sample + 1 < x.shape[0]:
        _step_and_product(out[sample + 1], w, x0, x[sample + 1], d, lr)
    else:
        for r in range(w.shape[0]):
            own = w[r]
            for j in range(own.shape[0]):
                own[j] -= lr * rounded_product(x0[r], d[j])


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
