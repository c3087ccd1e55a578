"""What careless callers hand over: odd layouts, wrong numbers, shapes and dtypes, and things that are no arrays."""

import decimal
import fractions
import threading

import numpy as np

LARGE = (2**31 - 1, 2**31, 2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64, 10**30, 10**400)


class Refuses:
    """An object that fails when it is asked for an array, with an error of its own."""

    def __array__(self, *_, **__):
        raise Own("no array")


class Lies:
    """An object that says it has a shape and a dtype."""

    shape, dtype, ndim, size = (4, 3), np.dtype(np.float32), 2, 12

    def __len__(self):
        return 4


class Own(Exception):
    """An error of the caller's own object."""


# Layouts: the numbers stay, so that the answer must.
def strided(a, rng):
    return np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a


def backwards(a, rng):
    return a[::-1].copy()[::-1] if a.ndim else a


def read_only(a, rng):
    a = a.copy()
    a.flags.writeable = False
    return a


def unaligned(a, rng):
    return np.frombuffer(b"\0" + a.tobytes(), a.dtype, offset=1).reshape(a.shape)


LAYOUTS = (
    strided,
    backwards,
    read_only,
    unaligned,
    lambda a, rng: np.asfortranarray(a),
    lambda a, rng: a.astype(a.dtype.newbyteorder()),
    lambda a, rng: a.view(type("Mine", (np.ndarray,), {})),
    lambda a, rng: np.ma.masked_array(a),
)


# Numbers
def spoiled(values):
    def change(a, rng):
        value = values[rng.integers(len(values))]
        if a.dtype.kind in "iu" and not np.iinfo(a.dtype).min <= value <= np.iinfo(a.dtype).max:
            a = a.astype(np.uint64 if value > 0 else np.int64)
        a = a.copy()
        if a.size:
            with np.errstate(all="ignore"):
                a.reshape(-1)[rng.integers(a.size)] = value
        return a

    return change


def any_bits(a, rng):
    return np.frombuffer(rng.bytes(a.nbytes), a.dtype).reshape(a.shape)


of_floats = spoiled((np.nan, np.inf, -np.inf, 3.4e38, -1e300, 1e-310, 2.0**63, -0.0))
of_ids = spoiled((-1, -(2**63), 2**63 - 1, 2**31, 2**32, 2**40, 2**63, 2**64 - 1, 11, 1000))


def other_numbers(a, rng):
    if rng.random() < 0.2:
        return any_bits(a, rng)
    return of_floats(a, rng) if a.dtype.kind == "f" else of_ids(a, rng)


# Shapes
SHAPES = (
    lambda a, rng: a[:-1],
    lambda a, rng: a[:0],
    lambda a, rng: a[..., :-1],
    lambda a, rng: a[..., :0],
    lambda a, rng: a[None],
    lambda a, rng: a[..., None],
    lambda a, rng: a.reshape(-1),
    lambda a, rng: a.T,
    lambda a, rng: a.reshape(-1)[0] if a.size else a,
    lambda a, rng: np.array(5),
    lambda a, rng: np.empty((0, 0, 0), a.dtype),
    lambda a, rng: np.concatenate([a, a]),
)

# Larger than any memory. Models would look at each number of them, as they were asked to; functions copy them first.
ENDLESS = (
    lambda a, rng: np.broadcast_to(a[:1], (2**36, *a.shape[1:])),
    lambda a, rng: np.broadcast_to(a.dtype.type(0), (2**30, 2**28)),
)

# Dtypes
DTYPES = (
    *(np.complex64, np.bool_, np.int8, np.uint8, np.uint64, np.float16, np.float32, np.float64, np.longdouble),
    *("S8", "U8", "O", "M8[s]", "m8[s]", ">i4", "V8"),
)


def other_dtype(a, rng):
    with np.errstate(all="ignore"):
        dtype = DTYPES[rng.integers(len(DTYPES))]
        if dtype == "V8":
            return np.zeros(a.shape, [("a", "f4"), ("b", "i4")])
        return a.astype(dtype)


def a_list(a, rng):
    listed = a.tolist()
    if isinstance(listed, list) and listed and rng.random() < 0.5:
        listed[int(rng.integers(len(listed)))] = thing(rng)
    return listed


# Things that are no array
def _things():
    return [
        *(None, True, False, Ellipsis, NotImplemented, object(), object, Refuses(), Lies(), len, lambda: 0, iter([1])),
        *("", "x", "relu", "\0", "٣", b"", b"1234", bytearray(8), memoryview(bytes(8)), "a" * 5000),
        *([], (), {}, set(), [[]], [[1], [1, 2]], [None], {"a": 1}, {1: 2}, [float("nan")], ["x"], [[[]]], range(5)),
        *(0, 1, 2, 3, 5, -1, -2, 0.5, -0.5, 1e-320, 1e308, float("nan"), float("inf"), float("-inf"), 1j),
        *(decimal.Decimal("0.5"), fractions.Fraction(1, 3), np.float32("nan"), np.float64(1), np.int8(-5), np.bool_(1)),
        *(
            np.array(None),
            np.array("x"),
            np.array([]),
            np.array(3),
            np.zeros((2, 0)),
            np.ma.masked,
            np.datetime64("NaT"),
        ),
        *(np.arange(3), np.ones((2, 2)), np.longdouble(1), np.uint64(2**64 - 1), np.str_("x"), slice(3), Own("value")),
        *LARGE,
        *(-n for n in LARGE),
    ]


def thing(rng):
    things = _things()
    return things[rng.integers(len(things))]


class Changing:
    """Arrays that a thread of its own writes to all the time: ids out of range, NaN, and what is right."""

    def __init__(self):
        self.ids, self.labels, self.numbers = np.zeros((40, 3), np.int64), np.zeros(40, np.int64), np.zeros((40, 5))
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def stop(self):
        self._done.set()
        self._thread.join()

    def _write(self):
        rng = np.random.default_rng(0)
        while not self._done.wait(0.0002):
            bad = rng.integers(3)
            self.ids[...] = (2**40, -1, 1)[bad]
            self.labels[...] = (-(2**40), 2**62, 1)[bad]
            self.numbers[...] = (np.nan, 1e300, 1.0)[bad]
            self.ids[...], self.labels[...], self.numbers[...] = 2, 1, 0.5
