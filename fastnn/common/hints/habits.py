"""What users of Keras, PyTorch and scikit-learn type first: an argument, a name or an attribute that fastnn calls
otherwise is refused with one sentence that says how. The sentences are in the files beside this one:
`arguments.py`, `attributes.py`, `examples.py`, `names.py`, `order.py` and `values.py`.
"""

import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import FrozenInstanceError
from functools import cache, wraps
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, ParamSpec, TypeVar

from fastnn.common.assigned import Checks
from fastnn.common.hints import arguments, examples, names
from fastnn.common.hints.assignment import Unknown, assignable, attribute_hint, found, owners_of, refusal
from fastnn.common.hints.order import doubtful, misplaced
from fastnn.common.names import near, nearest

P = ParamSpec("P")
R = TypeVar("R")


class Hinted:
    """Base of what users make: a wrong argument or attribute of it is refused with a hint.

    What is assigned to a setting is checked, in `__init__` and later alike. On an object of fastnn's own classes an
    attribute that nobody would read is refused; a user's subclass has whatever attributes it sets.
    Type checkers do not see these methods: what they know are the arguments of `__init__` and the attributes.
    """

    _checks: ClassVar[Checks] = {}  # the settings whose values are checked where they are assigned
    _holds_more: ClassVar[bool] = False  # whether users may hang attributes of their own on it

    if not TYPE_CHECKING:

        def __new__(cls, *positional, **keywords):
            if positional or keywords:  # copy and pickle call it without any
                _check_call(owners_of(cls), takes := _arguments_of(cls), len(positional), keywords)
                if takes and (meant := misplaced(cls.__name__, takes.names, positional)):
                    raise TypeError(meant)
                if takes and (doubt := doubtful(cls.__name__, takes.names, positional)):
                    warn(doubt)
            return super().__new__(cls)

        def __getattr__(self, name):
            if any(name in vars(base) for base in type(self).__mro__):  # a property that fails: say its own error again
                return object.__getattribute__(self, name)
            raise AttributeError(Unknown(self, name))

        def __setattr__(self, name, value):
            kind = type(self)
            if name not in assignable(kind) and (refused := refusal(self, name, value)):
                raise AttributeError(refused)
            check = kind._checks.get(name)
            super().__setattr__(name, value if check is None else check(kind.__name__, name, value))


def stays_as_made(kind: type) -> None:
    """Assignments to what this frozen dataclass makes are refused with a hint; its own refusal has none."""
    kind.__setattr__ = _refuse_to_change  # type: ignore[method-assign,assignment]


def _refuse_to_change(thing: Any, name: str, value: Any) -> None:
    hint = attribute_hint(thing, name) or "make another one: dataclasses.replace gives one with other arguments"
    raise FrozenInstanceError(f"{type(thing).__name__} stays as it was made, {name!r} cannot be assigned; {hint}")


def hinted(function: Callable[P, R]) -> Callable[P, R]:
    """A function or method, but wrong arguments are refused with a hint: those of the table with its name."""
    return hinted_as(function.__name__)(function)


def hinted_as(owner: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """As `hinted`, by the table of that name, for a method whose arguments are not those of others of its name."""

    def made(function: Callable[P, R]) -> Callable[P, R]:
        first, name = next(iter(inspect.signature(function).parameters)), function.__name__
        bound = int(first in ("self", "cls"))
        arguments = _arguments(function, bound)

        @wraps(function)
        def checked(*positional: P.args, **keywords: P.kwargs) -> R:
            if first == "self" and not (positional and hasattr(type(positional[0]), name)):
                raise TypeError(f"{owner} is called on a class, expected on what it makes{_example((owner,))}")
            _check_call((owner,), arguments, len(positional) - bound, keywords)
            return function(*positional, **keywords)

        return checked

    return made


def missing_from(module: str, known: Iterable[str], otherwise: str = "") -> Callable[[str], Any]:
    """A `__getattr__` for `module`: the AttributeError says what fastnn has instead of a name that is not there.

    known     : the names that may be meant
    otherwise : what to say where no name is near
    """

    known = tuple(known)

    def missing(name: str) -> Any:
        hint = "" if name.startswith("_") else names.MODULE.get(name) or nearest(name, known) or otherwise
        raise AttributeError(f"module {module!r} has no attribute {name!r}" + (f"; {hint}" if hint else ""))

    return missing


def completed_by(names: Iterable[str]) -> Callable[[], list[str]]:
    """A `__dir__` for a module: completion shows what users are meant to find, not what the module imports."""
    found = sorted(names)
    return lambda: list(found)


def warn(message: str, kind: type[Warning] = UserWarning) -> None:
    """A warning that points at the line outside of fastnn from which this was called."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "fastnn":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, kind, level)


class _Arguments(NamedTuple):
    """What a call takes: all names, those that may be given by position first, and those that must be given.

    is_open : whether it takes other names, too
    """

    names: tuple[str, ...]
    positions: int
    required: frozenset[str]
    is_open: bool = False


@cache
def _arguments_of(kind: type) -> _Arguments | None:
    """What a class takes, with what it passes on to its base: `**shared: Unpack[...]` says so. None: anything."""
    inits = [vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base)]
    own = _arguments(inits[0])
    for init, base in pairwise(inits):
        if own is None or not _passes_on(init):
            break
        further = _arguments(base)
        names = (*own.names, *(further.names if further else ()))
        own = further and own._replace(names=tuple(dict.fromkeys(names)), is_open=further.is_open)
    return own


def _arguments(function: Callable[..., Any], skipped: int = 1) -> _Arguments | None:
    """What a function takes beside its first arguments; None if it takes any number of them."""
    if function is object.__init__:
        return _Arguments((), 0, frozenset())
    parameters = list(inspect.signature(function).parameters.values())[skipped:]
    kinds = [parameter.kind for parameter in parameters]
    is_open = inspect.Parameter.VAR_KEYWORD in kinds and not _passes_on(function)
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    named = [parameter for parameter in parameters if parameter.kind != parameter.VAR_KEYWORD]
    required = frozenset(parameter.name for parameter in named if parameter.default is parameter.empty)
    positions = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return _Arguments(tuple(parameter.name for parameter in named), positions, required, is_open)


def _passes_on(function: Callable[..., Any]) -> bool:
    return any("Unpack" in str(annotation) for annotation in getattr(function, "__annotations__", {}).values())


def _check_call(owners: tuple[str, ...], takes: _Arguments | None, positions: int, keywords: Mapping[str, Any]) -> None:
    """TypeError with a hint unless `takes` allows `positions` arguments by position, and `keywords` by name."""
    if takes is None:
        return
    for name in keywords:
        if name not in takes.names and not takes.is_open:
            hint = found(arguments.ARGUMENTS, owners, name) or near(name, takes.names)
            raise TypeError(f"{owners[0]} has no argument {name!r}; {hint}")
    twice = [name for name in takes.names[:positions] if name in keywords]
    if twice:
        raise TypeError(f"{owners[0]} got {twice[0]} twice, by position and by name{_example(owners)}")
    if positions > takes.positions:
        raise TypeError(f"{owners[0]} takes {_count(takes.positions)} by position, got {positions}{_example(owners)}")
    missing = [name for name in takes.names[positions:] if name in takes.required and name not in keywords]
    if missing:
        raise TypeError(f"{owners[0]} needs {' and '.join(f'{name}=' for name in missing)}{_example(owners)}")


def _example(owners: Iterable[str]) -> str:
    """The end of a message that shows a call that fits, if one is known."""
    calls = (examples.EXAMPLES[owner] for owner in owners if owner in examples.EXAMPLES)
    return next((f"; for example {call}" for call in calls), "")


def _count(positions: int) -> str:
    return {0: "no argument", 1: "one argument"}.get(positions, f"{positions} arguments")
