"""One careless call, drawn by its seed, and the judgement of how it ended."""

import ast
import contextlib
import functools
import os
import traceback
import warnings

import numpy as np

import fastnn as fn
from fastnn_kernels.registry import REGISTRY
from tests.proofs import hostile_values as hostile
from tests.proofs.guarded import guarded_run
from tests.proofs.public_calls import Models, layer, of_model, op, other

KINDS = {"ops": 0.4, "kernels": 0.3, "models": 0.15, "making": 0.15}
OWN = os.path.dirname(fn.__file__)
NOT_LARGE = ("epochs", "steps_per_epoch")  # a large number of them is a long training, as asked for
BUSY = 0.02  # of the arrays that another thread changes, among arguments


def _rng(seed):
    return np.random.default_rng([13, seed])


def kind_of(seed):
    return _drawn_kind(_rng(seed))


def _drawn_kind(rng):
    return str(rng.choice(list(KINDS), p=list(KINDS.values())))


class Caller:
    """Makes careless calls, with models and changing arrays that last longer than one of them."""

    def __init__(self):
        self._models, self._changing = Models(), hostile.Changing()

    def close(self):
        self._changing.stop()

    def call(self, seed):
        """(what ended it, what is wrong or "") of the call of this seed."""
        rng = _rng(seed)
        kind = _drawn_kind(rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "kernels":
                return self._kernel(rng, seed)
            return self._public(kind, rng)

    def _kernel(self, rng, seed):
        name = list(REGISTRY)[rng.integers(len(REGISTRY))]
        wrong = guarded_run(name, seed, rng)
        return "answer", f"kernel {name}: {wrong}" if wrong else ""

    def _public(self, kind, rng):
        if kind == "ops":
            call = op(rng)
        elif kind == "models":
            call = of_model(rng, self._models)
        else:
            call = (layer, other)[rng.integers(2)](rng)
        arguments, same = self._spoiled(call.arguments, rng, endless=kind == "ops")
        ended, result = outcome(call.function, arguments)
        told = f"{call.name}({_shown(call, arguments)}): {result}" if ended == "foreign" else ""
        if ended == "answer" and same and call.answers:
            want = outcome(call.function, call.arguments)[1]
            if not _same_bits(result, want):
                told = f"{call.name}({_shown(call, arguments)}): another layout, another answer"
        return ended, told

    def _spoiled(self, arguments, rng, endless):
        """The arguments with some of them spoiled; and whether only layouts changed."""
        spoiled, same = dict(arguments), True
        names = list(arguments)
        for name in rng.permutation(names)[: rng.integers(1, 3)].tolist() if names else ():
            spoiled[name], kept = self._spoil(spoiled[name], name, rng, endless)
            same = same and kept
        return spoiled, same

    def _spoil(self, value, name, rng, endless):
        if isinstance(value, dict) and value and rng.random() < 0.8:
            key = list(value)[rng.integers(len(value))]
            changed, kept = self._spoil(value[key], name, rng, endless)
            return value | {key: changed}, kept
        if isinstance(value, np.ndarray) and rng.random() < 0.9:
            with contextlib.suppress(ValueError, TypeError, OverflowError):  # NumPy cannot make all of all
                return self._spoil_array(value, rng, endless)
        given = hostile.thing(rng)
        while name in NOT_LARGE and isinstance(given, int | float | np.number) and not -5 < given < 5:
            given = hostile.thing(rng)
        return given, False

    def _spoil_array(self, a, rng, endless):
        chance = rng.random()
        if chance < BUSY:
            busy = [b for b in (self._changing.ids, self._changing.labels, self._changing.numbers) if b.ndim == a.ndim]
            return (busy[rng.integers(len(busy))], False) if busy else (a, True)
        if chance < 0.35:
            changed = a
            for _ in range(rng.integers(1, 3)):
                changed = hostile.LAYOUTS[rng.integers(len(hostile.LAYOUTS))](changed, rng)
            return changed, True
        if chance < 0.6:
            return hostile.other_numbers(a.copy(), rng), False
        if chance < 0.8:
            shapes = hostile.SHAPES + (hostile.ENDLESS if endless else ())
            return shapes[rng.integers(len(shapes))](a, rng), False
        return (hostile.other_dtype, hostile.a_list)[rng.integers(2)](a, rng), False


def outcome(function, arguments):
    """("answer", the answer), ("refusal", None) or ("foreign", what was raised and where)."""
    try:
        with (
            open(os.devnull, "w", encoding="utf-8") as nothing,
            contextlib.redirect_stdout(nothing),
            contextlib.redirect_stderr(nothing),
        ):
            return "answer", function(**arguments)
    except hostile.Own:
        return "refusal", None
    except Exception as error:
        if is_own(error):
            return "refusal", None
        last = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in last if frame.filename.startswith(OWN)]
        where = f"{os.path.relpath(ours[-1].filename, OWN)}:{ours[-1].lineno}" if ours else "before fastnn"
        return "foreign", f"{type(error).__name__}: {str(error)[:150]!r} at {where}"


def is_own(error):
    """Whether a `raise` in fastnn made the error."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return last.filename.startswith(OWN) and last.lineno in _raises(last.filename)


@functools.cache
def _raises(filename):
    """The lines of the raise statements of a file."""
    with open(filename, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    return {line for node in found for line in range(node.lineno, node.end_lineno + 1)}


def _same_bits(got, want):
    if isinstance(got, dict):
        return isinstance(want, dict) and got.keys() == want.keys() and all(_same_bits(got[k], want[k]) for k in got)
    if isinstance(got, tuple):
        return isinstance(want, tuple) and all(map(_same_bits, got, want))
    got, want = np.asarray(got), np.asarray(want)
    return got.dtype == want.dtype and got.shape == want.shape and got.tobytes() == want.tobytes()


def _shown(call, arguments):
    """The arguments that were spoiled, in short."""
    return ", ".join(f"{n}={_short(v)}" for n, v in arguments.items() if v is not call.arguments[n])


def _short(value):
    if isinstance(value, np.ndarray):
        return f"<{type(value).__name__} {value.dtype} {value.shape}>"
    try:
        return f"{value!r:.60}"
    except Exception:
        return f"<{type(value).__name__}>"
