"""A wrong kernel turns the suite red: mistakes are planted in the body of every kernel, and the comparison finds them.

    python -m tests.proofs.wrong_kernels --size 40 --seed 0

`size` mistakes of each kernel are drawn: a loop that ends one early or begins one late, + for −, · for +, < for ≤, a
number that is another, a statement that is left out. The wrong body runs as plain Python on the sizes of the kernels'
tests and is compared with the reference as `tests/kernels/test_against_reference.py` does. A mistake that changes no
output at all (another cutting of the work, say) is no wrong kernel; the command lists what was not found, and ends
with status 1 if a kernel has no mistake that was, or half of them were not.
"""

import argparse
import ast
import contextlib
import copy
import inspect
import sys
import textwrap
import zlib

import numpy as np

from fastnn_kernels.registry import REGISTRY
from tests.tolerances import error

NUMBERS = 1500  # in all arrays of a call: the bodies run as plain Python
LINES = 200_000  # that a wrong body may run: a mistake may make it endless
SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.Lt: ast.GtE, ast.Gt: ast.LtE}
SWAPPED |= {ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq}


def tree_of(body):
    """The syntax tree of a kernel's function, without its decorator and docstring."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(body))).body
    function.decorator_list = []
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:] or [ast.Pass()]
    return function


def mistakes(function):
    """(what was done, the wrong function) for every mistake that can be planted."""
    for number, node in enumerate(ast.walk(function)):
        for kind in _kinds(node):
            wrong = copy.deepcopy(function)
            target = list(ast.walk(wrong))[number]
            line = ast.unparse(node).splitlines()[0]
            _plant(target, kind)
            yield f"{kind}: {line:.70}", wrong


def _kinds(node):
    if isinstance(node, ast.For) and isinstance(node.iter, ast.Call):
        yield "ends one early"
        yield "begins one late"
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPPED:
        yield "another operator"
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        yield "another comparison"
    if isinstance(node, ast.Assign | ast.AugAssign) and isinstance(_target(node), ast.Subscript):
        yield "left out"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "left out"


def _target(node):
    return node.targets[0] if isinstance(node, ast.Assign) else node.target


def _plant(node, kind):
    if kind in ("ends one early", "begins one late"):
        bounds = node.iter.args
        if kind == "ends one early":
            place = min(1, len(bounds) - 1)
            bounds[place] = ast.BinOp(bounds[place], ast.Sub(), ast.Constant(1))
        elif len(bounds) == 1:
            bounds.insert(0, ast.Constant(1))
        else:
            bounds[0] = ast.BinOp(bounds[0], ast.Add(), ast.Constant(1))
    elif kind == "another operator":
        node.op = SWAPPED[type(node.op)]()
    elif kind == "another comparison":
        node.ops[0] = SWAPPED[type(node.ops[0])]()
    else:  # it assigns to a name that nobody reads
        value = ast.Constant(0) if isinstance(node, ast.Expr) else node.value
        node.__class__, node.targets, node.value = ast.Assign, [ast.Name("_", ast.Store())], value


def made(function, body):
    """The function that a tree describes, among the names of the kernel's file."""
    names = dict(body.__globals__)
    tree = ast.fix_missing_locations(ast.Module([function], []))
    exec(compile(tree, f"<wrong {body.__name__}>", "exec"), names)
    wrong = names[body.__name__]
    wrong.__defaults__ = body.__defaults__
    return wrong


def cases(name, numbers=NUMBERS):
    """(arguments, what is wanted, terms) of the first sizes of the kernel's tests that Python takes quickly."""
    spec, found = REGISTRY[name], []
    for key, shape in spec.shapes.items():
        rng = np.random.default_rng(zlib.crc32(f"{name} {key}".encode()))
        args = () if key.startswith("threshold") else spec.inputs(rng, np.float64, shape)
        if args and args[0].size:
            found.append((_numbers(args), args, spec.terms(shape)))
    found.sort(key=lambda case: case[0])
    few = [case for case in found if case[0] <= numbers] or found[:1]
    return [(args, spec.want(args), terms) for _, args, terms in reversed(few)]


def _numbers(args):
    return sum(a.size for a in args if isinstance(a, np.ndarray))


def found_by_tests(spec, wrong, cases):
    """Whether an output of the wrong kernel is out of tolerance, or it fails, on one of the sizes."""
    for args, want, terms in cases:
        try:
            with _limited(wrong):
                got = spec.run(wrong, args)
        except Exception:
            return True
        if max((error(g, w, terms) for g, w in zip(got, want, strict=True)), default=0) > 1:
            return True
    return False


@contextlib.contextmanager
def _limited(function):
    """Within the block, RuntimeError once the function, if it has a `while`, has run LINES lines."""
    if "while " not in inspect.getsource(REGISTRY[function.__name__].kernel.body):
        yield
        return
    left = [LINES]

    def count(frame, event, value):
        left[0] -= 1
        if not left[0]:
            raise RuntimeError("endless")
        return count

    before = sys.gettrace()
    sys.settrace(lambda frame, event, value: count if frame.f_code is function.__code__ else None)
    try:
        yield
    finally:
        sys.settrace(before)


def searched(name, size, seed, numbers=NUMBERS):
    """(what was done, whether it is found) of `size` mistakes in a kernel, one after the other."""
    spec = REGISTRY[name]
    planted, tried = list(mistakes(tree_of(spec.kernel.body))), cases(name, numbers)
    for i in np.random.default_rng(seed).permutation(len(planted))[:size]:
        what, wrong = planted[i]
        yield what, found_by_tests(spec, made(wrong, spec.kernel.body), tried)


def main(size, seed):
    planted = missed = 0
    failures = []
    for name in REGISTRY:
        results = list(searched(name, size, seed))
        count, left = len(results), [what for what, found in results if not found]
        planted, missed = planted + count, missed + len(left)
        failures += [name] if not count or 2 * len(left) > count else []
        print(f"{name:32} {count:3} mistakes, {len(left):2} not found", *left, sep="\n    ", flush=True)
    print(f"{len(REGISTRY)} kernels, {planted} mistakes: {missed} not found; too few found in: {failures}")
    return bool(failures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.exit(main(given.size, given.seed))
