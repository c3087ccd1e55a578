"""`fastnn.ops` on arrays as users have them: the same results for every layout, and clear refusals."""

import numba
import numpy as np
import pytest

import fastnn_kernels as kernels
from fastnn import ops
from fastnn.common.errors import DataError, ShapeError
from fastnn.engine.threads import threads, use_parallel
from fastnn_kernels import reference
from fastnn_kernels._jit import JIT
from fastnn_kernels.registry import REGISTRY
from tests.tolerances import check

RNG = np.random.default_rng(0)
X, W, B, DOUT = (RNG.standard_normal(shape) for shape in ((7, 5), (5, 6), 5, (7, 6)))
Y = np.tanh(X)
IDS, TABLE, LABELS = RNG.integers(0, 4, (7, 3)), RNG.standard_normal((4, 2)), RNG.integers(0, 5, 7)
ROWS = RNG.integers(0, 7, 4)
SOFTMAX = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)


def by_reference(name, of):
    """Case of an activation, forward and backward, whose derivative is computed from `of`: "x" or "out"."""
    out, dx = np.empty_like(X), np.empty_like(X)
    getattr(reference, f"{name}_forward")(out, X, 5)
    getattr(reference, f"{name}_backward")(dx, Y, X, out, 5)
    forward, backward = getattr(ops, f"{name}_forward"), getattr(ops, f"{name}_backward")
    given = {"x": X, "out": out}[of]
    return {f"{name}_forward": (forward, (X,), (), out), f"{name}_backward": (backward, (Y, given), (), dx)}


# name: (the function, its float arguments, its other arguments, the array that it must return)
CASES = {
    **by_reference("softplus", of="x"),
    **by_reference("elu", of="out"),
    **by_reference("gelu", of="x"),
    **by_reference("silu", of="x"),
    "relu_forward": (ops.relu_forward, (X,), (), np.maximum(X, 0)),
    "relu_backward": (ops.relu_backward, (Y, X), (), Y * (X > 0)),
    "leaky_relu_forward": (ops.leaky_relu_forward, (X,), (), np.where(X < 0, 0.01 * X, X)),
    "leaky_relu_backward": (ops.leaky_relu_backward, (Y, X), (), Y * np.where(X > 0, 1, 0.01)),
    "tanh_forward": (ops.tanh_forward, (X,), (), Y),
    "tanh_backward": (ops.tanh_backward, (X, Y), (), X * (1 - Y**2)),
    "sigmoid_forward": (ops.sigmoid_forward, (X,), (), 1 / (1 + np.exp(-X))),
    "sigmoid_backward": (ops.sigmoid_backward, (X, Y), (), X * Y * (1 - Y)),
    "matmul": (ops.matmul, (X, W), (), X @ W),
    "matmul_xt": (ops.matmul_xt, (X, DOUT), (), X.T @ DOUT),
    "matmul_wt": (ops.matmul_wt, (DOUT, W), (), DOUT @ W.T),
    "bias_forward": (ops.bias_forward, (X, B), (), X + B),
    "bias_backward": (ops.bias_backward, (X,), (), X.sum(axis=0)),
    "softmax": (ops.softmax, (X,), (), SOFTMAX),
    "embedding_forward": (ops.embedding_forward, (TABLE,), (IDS,), TABLE[IDS].reshape(7, 6)),
    "embedding_backward": (
        ops.embedding_backward,
        (DOUT,),
        (IDS, 4),
        np.eye(4)[IDS].reshape(21, 4).T @ DOUT.reshape(21, 2),
    ),
    "sum_forward": (ops.sum_forward, (DOUT,), (3,), DOUT.reshape(7, 3, 2).sum(axis=1)),
    "sum_backward": (ops.sum_backward, (X,), (2,), np.hstack([X, X])),
    "gather_rows": (ops.gather_rows, (X,), (ROWS,), X[ROWS]),
}


def _strided(a):
    return np.repeat(a, 2, axis=-1)[..., ::2]


def _read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def _unaligned(a):
    return np.frombuffer(b"\0" + a.tobytes(), a.dtype, offset=1).reshape(a.shape)


LAYOUTS = {
    "plain": np.array,
    "strided": _strided,
    "reversed": lambda a: a[::-1].copy()[::-1],
    "fortran": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "read-only": _read_only,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "unaligned": _unaligned,
    "subclass": lambda a: a.view(type("Mine", (np.ndarray,), {})),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_every_layout(name, dtype, layout):
    function, arrays, rest, want = CASES[name]
    given = [LAYOUTS[layout](a.astype(dtype)) for a in arrays]
    rest = [LAYOUTS[layout](a) if isinstance(a, np.ndarray) else a for a in rest]
    before = [a.copy() for a in given]
    got = function(*given, *rest)
    # `want` is computed from the numbers before they were cast, so every input has one more rounding than in a kernel.
    assert got.dtype == dtype
    assert type(got) is np.ndarray
    check([got], [want], terms=20, label=f"{name} {layout}")
    for a, b in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CASES)
def test_lists(name):
    function, arrays, rest, want = CASES[name]
    rest = [a.tolist() if isinstance(a, np.ndarray) else a for a in rest]
    got = function(*[a.tolist() for a in arrays], *rest)
    assert got.dtype == np.float64
    check([got], [want], terms=20, label=name)


def test_whole_numbers_and_lists_take_the_dtype_beside_them():
    assert ops.matmul(np.ones((2, 3), np.float32), [[1], [2], [3]]).dtype == np.float32
    assert ops.matmul(np.ones((2, 3), np.int8), np.ones((3, 1), np.float32)).tolist() == [[3], [3]]
    assert ops.matmul([[1, 2]], [[3], [4]]).tolist() == [[11.0]]


def test_each_name_is_listed_and_each_is_tested():
    updates = {"sgd_update", "momentum_update", "nesterov_update"}
    assert set(ops.__all__) == {*CASES, *updates, "softmax_cross_entropy", "permuted_indices"}


def test_elu_s_derivative_needs_its_output_only():
    """The kernel reads x for its sign alone, which is the sign of elu(x): the bits are the same as with both."""
    x = np.array([[-800, -1, -1e-300, -5e-324, -0.0, 0.0, 5e-324, 1e-300, 1, np.inf, np.nan]])
    want = np.empty_like(x)
    out = ops.elu_forward(x)
    kernels.elu_backward.serial(want, np.ones_like(x), x, out, x.shape[1])
    np.testing.assert_array_equal(ops.elu_backward(np.ones_like(x), out), want)


def test_any_shape_for_activations():
    for shape in ((), (0,), (4,), (2, 0), (0, 3), (2, 3, 4)):
        x = RNG.standard_normal(shape)
        np.testing.assert_array_equal(ops.relu_forward(x), np.maximum(x, 0), strict=True)
        assert ops.tanh_backward(x, x).shape == shape
    assert ops.softmax(np.zeros((2, 3, 4))).shape == (2, 3, 4)


# Rows and columns on both sides of what decides whether a product takes a copy of whole cache lines.
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("m", "k", "n"), [(3, 5, 1), (2, 3, 17), (95, 2, 513), (96, 2, 513), (4, 3, 32), (97, 3, 1025)]
)
def test_products_have_the_bits_of_their_kernels_on_the_arrays_themselves(m, k, n, dtype):
    x, w, dout = (RNG.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n), (m, n)))
    x[1], w[0, -1], dout[0, 0] = np.inf, np.nan, -np.inf
    cases = [
        (ops.matmul(x, w), kernels.matmul, x, w),
        (ops.matmul_xt(x, dout), kernels.matmul_xt, x, dout),
        (ops.matmul_wt(dout, w), kernels.matmul, dout, np.ascontiguousarray(w.T)),
    ]
    for got, kernel, left, right in cases:
        want = np.empty_like(got)
        with np.errstate(invalid="ignore"):  # of loops that are not compiled
            kernel.serial(want, left, right)
        np.testing.assert_array_equal(got, want, strict=True)
        assert got.flags.c_contiguous
        assert got.flags.owndata


@pytest.mark.parametrize(("m", "k", "n"), [(0, 2, 3), (2, 0, 3), (2, 3, 0), (1, 1, 1)])
def test_empty_products(m, k, n):
    x, w = np.ones((m, k)), np.ones((k, n))
    np.testing.assert_array_equal(ops.matmul(x, w), x @ w, strict=True)
    np.testing.assert_array_equal(ops.matmul_xt(x, x @ w), x.T @ (x @ w), strict=True)
    np.testing.assert_array_equal(ops.matmul_wt(x @ w, w), (x @ w) @ w.T, strict=True)


def test_softmax_cross_entropy():
    for weight in (None, np.arange(7.0)):
        loss, correct, dx = ops.softmax_cross_entropy(X, LABELS, weight)
        scale = np.full(7, 1 / 7) if weight is None else weight
        want = -np.log(SOFTMAX[np.arange(7), LABELS]), X.argmax(axis=1) == LABELS
        check([loss, correct, dx], [*want, scale[:, None] * (SOFTMAX - np.eye(5)[LABELS])], terms=5, label="loss")


def test_permuted_indices_and_gathered_shapes():
    assert sorted(ops.permuted_indices(10, range(10))) == list(range(10))
    images = RNG.integers(0, 255, (5, 2, 3), np.uint8)
    np.testing.assert_array_equal(ops.gather_rows(images, [4, 0]), images[[4, 0]], strict=True)
    assert ops.gather_rows(np.zeros((0, 3)), []).shape == (0, 3)


@pytest.mark.parametrize("layout", ["plain", "strided", "reversed", "fortran", "big-endian"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_updates_in_place(layout, dtype):
    def given():
        return [LAYOUTS[layout](a.astype(dtype)) for a in (X, Y, X * Y)]

    w, velocity, dw = given()
    v = 0.5 * Y - 0.1 * X * Y
    assert ops.momentum_update(w, velocity, dw, 0.1, 0.5) is None
    check([plain(velocity), plain(w)], [v, X + v], terms=4, label="momentum")
    w, velocity, dw = given()
    ops.nesterov_update(w, velocity, dw, 0.1, 0.5)
    check([plain(velocity), plain(w)], [v, X + 0.5 * v - 0.1 * X * Y], terms=4, label="nesterov")
    ops.sgd_update(velocity, dw, np.float32(0.25))
    check([plain(velocity)], [v - 0.25 * X * Y], terms=4, label="sgd")


def plain(a):
    return a.astype(a.dtype.newbyteorder("="))


def test_update_by_an_overlapping_gradient():
    a = np.arange(10.0)
    ops.sgd_update(a[1:], a[:-1], 1)
    assert a.tolist() == [0] + [1] * 9


READ_ONLY = _read_only(X)
REFUSED = [
    (ShapeError, r"w has shape \(7, 5\), expected \(5, n\)", lambda: ops.matmul(X, X)),
    (ShapeError, r"x has shape \(5,\), expected \(m, k\)", lambda: ops.matmul(B, X)),
    (ShapeError, r"b has shape \(7, 5\), expected \(5,\)", lambda: ops.bias_forward(X, X)),
    (ShapeError, r"dout has shape \(5,\), expected \(7, 5\)", lambda: ops.relu_backward(B, X)),
    (ShapeError, r"x is no array", lambda: ops.relu_forward([[1, 2], [3]])),
    (ShapeError, r"x has shape \(2, 0\)", lambda: ops.softmax(np.zeros((2, 0)))),
    (ShapeError, r"x has shape \(2, 0\)", lambda: ops.softmax_cross_entropy(np.zeros((2, 0)), [0, 0])),
    (ShapeError, r"labels has shape \(2,\), expected \(7,\)", lambda: ops.softmax_cross_entropy(X, [0, 0], B)),
    (ShapeError, r"x has 6 columns, expected a multiple of the 4", lambda: ops.sum_forward(DOUT, 4)),
    (ShapeError, r"source is a single number", lambda: ops.gather_rows(3.0, [0])),
    (TypeError, r"mixed dtypes: x is float64, w is float32", lambda: ops.matmul(X, W.astype("f4"))),
    (TypeError, r"x has dtype complex128", lambda: ops.relu_forward(X * 1j)),
    (TypeError, r"x has dtype object", lambda: ops.relu_forward([None, 1])),
    (TypeError, r"x has dtype <U1", lambda: ops.relu_forward(["a"])),
    (TypeError, r"x has dtype float16", lambda: ops.relu_forward(X.astype("f2"))),
    (TypeError, r"x has dtype bool", lambda: ops.relu_forward(X > 0)),
    (TypeError, r"source has dtype complex128", lambda: ops.gather_rows(X * 1j, [0])),
    (TypeError, r"ids has dtype complex128", lambda: ops.embedding_forward(TABLE, IDS * 1j)),
    (DataError, r"ids\[1, 0\] is 4, expected 0 to 3", lambda: ops.embedding_forward(TABLE, [[0, 3], [4, 1]])),
    (DataError, r"ids\[0, 1\] is -1, expected 0 to 3", lambda: ops.embedding_backward(np.ones((1, 2)), [[0, -1]], 4)),
    (DataError, r"ids\[0, 0\] is 0.5", lambda: ops.embedding_forward(TABLE, [[0.5]])),
    (DataError, r"ids\[0, 0\] is 18446744073709551615", lambda: ops.embedding_forward(TABLE, [[2**64 - 1]])),
    (DataError, r"labels\[2\] is 5, expected 0 to 4", lambda: ops.softmax_cross_entropy(X, [0, 1, 5, 0, 0, 0, 0])),
    (DataError, r"indices\[1\] is 7, expected 0 to 6", lambda: ops.gather_rows(X, [0, 7])),
    (DataError, r"indices has 1 numbers, expected none", lambda: ops.gather_rows(X[:0], [0])),
    (DataError, r"parts is 0, expected at least 1", lambda: ops.sum_forward(X, 0)),
    (TypeError, r"parts is 2.0, expected a whole number", lambda: ops.sum_forward(X, 2.0)),
    (DataError, r"count is 4294967297", lambda: ops.permuted_indices(2**32 + 1, range(10))),
    (TypeError, r"key has dtype float64", lambda: ops.permuted_indices(3, np.ones(10))),
    (DataError, r"w is read-only", lambda: ops.sgd_update(READ_ONLY, X, 0.1)),
    (TypeError, r"w has type list", lambda: ops.sgd_update([1.0], [1.0], 0.1)),
    (TypeError, r"w has dtype int64", lambda: ops.sgd_update(np.arange(3), [1, 1, 1], 0.1)),
    (TypeError, r"mixed dtypes", lambda: ops.sgd_update(X.copy(), X.astype("f4"), 0.1)),
    (TypeError, r"lr is 'fast', expected a number", lambda: ops.sgd_update(X.copy(), X, "fast")),
    (ShapeError, r"dw has shape \(5,\), expected \(7, 5\)", lambda: ops.sgd_update(X.copy(), B, 0.1)),
    (DataError, r"w and velocity share memory", lambda: ops.momentum_update(X, X[:], X, 0.1, 0.5)),
]


@pytest.mark.parametrize(("error", "message", "call"), REFUSED, ids=[f"{i}-{r[1][:20]}" for i, r in enumerate(REFUSED)])
def test_refused(error, message, call):
    before = X.copy()
    with pytest.raises(error, match=message):
        call()
    np.testing.assert_array_equal(X, before)


def test_the_parallel_version_runs_if_the_work_is_worth_it_and_threads_are_there():
    entry, rng = REGISTRY["matmul"], np.random.default_rng(0)
    below, at = (entry.inputs(rng, np.float32, entry.shapes[f"threshold{d}"]) for d in ("-1", ""))
    many = numba.config.NUMBA_NUM_THREADS > 1
    assert not use_parallel(kernels.matmul, below)
    assert use_parallel(kernels.matmul, at) == many
    with threads(1):
        assert not use_parallel(kernels.matmul, at)
    assert not use_parallel(kernels.group_by_row, entry.inputs(rng, np.float32, (1, 1, 1)))


@pytest.mark.skipif(not JIT, reason="large, and one twin only")
def test_same_bits_on_both_sides_of_the_threshold():
    x, w = RNG.standard_normal((300, 200)), RNG.standard_normal((200, 100))
    whole = ops.matmul(x, w)
    np.testing.assert_array_equal(np.vstack([ops.matmul(x[i : i + 1], w) for i in range(300)]), whole)


@pytest.mark.skipif(not JIT, reason="nothing is compiled")
def test_no_layout_compiles_a_signature_of_its_own():
    for layout in LAYOUTS.values():
        ops.matmul(layout(X), layout(W))
    assert len(kernels.matmul.serial.signatures) <= 2  # float32, float64
