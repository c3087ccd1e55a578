"""What may be assigned to an object, and what is said of an attribute that is not there."""

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from types import FunctionType
from typing import Any

from fastnn.common.hints import attributes
from fastnn.common.names import nearest

_FOREIGN = {name for table in attributes.ATTRIBUTES.values() for name in table}


def refusal(thing: Any, name: str, value: Any) -> str:
    """Why `value` cannot be assigned to that attribute of `thing`; "" if it can. Not asked of what is `assignable`."""
    return _unassignable(type(thing), name, value) if hasattr(type(thing), name) else _unread(thing, name)


@cache
def assignable(kind: type) -> frozenset[str]:
    """The names to which any value may be assigned, on any object of this class: `refusal` need not be asked.

    A training assigns some forty attributes, mostly of its own, for which the class would be searched in vain.
    """
    plain = (name for name in _spoken_of(kind) if name not in _FOREIGN or not _is_foreign(kind, name))
    return frozenset(name for name in plain if not isinstance(getattr(kind, name, None), property | FunctionType))


def owners_of(kind: type) -> tuple[str, ...]:
    """The tables in which a hint is looked for: a class's own, then those of its bases."""
    return tuple(base.__name__ for base in kind.__mro__)


def no_attribute(thing: Any, name: str) -> str:
    """That `thing` has no such attribute, and what may be meant."""
    hint = "" if name.startswith("_") else attribute_hint(thing, name) or nearest(name, _public(thing))
    return _missing(type(thing), name, hint)


class Unknown:
    """The text of `no_attribute`, made when somebody reads it.

    `getattr(thing, name, default)` and `hasattr` do not, and looking for near names takes longer than a small step.
    """

    def __init__(self, thing: Any, name: str):
        self._thing, self._name = thing, name

    def __str__(self) -> str:
        return no_attribute(self._thing, self._name)

    def __repr__(self) -> str:
        return repr(str(self))

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)  # to another process goes the text alone


def _missing(kind: type, name: str, hint: str) -> str:
    return f"{kind.__name__} has no attribute {name!r}" + (f"; {hint}" if hint else "")


def _public(thing: Any) -> list[str]:
    """The names of an object's attributes, without those that begin with an underscore."""
    return [known for known in (*dir(type(thing)), *vars(thing)) if not known.startswith("_")]


def _unread(thing: Any, name: str) -> str:
    """Why an attribute that the class does not have cannot be assigned; "" if it can.

    Python would make an attribute that nobody reads: `optimizer.learning_rate = .1` would change nothing.
    """
    kind: type = type(thing)
    if name in vars(thing) or name.startswith("_"):
        return ""
    if name in _FOREIGN and _is_foreign(kind, name):
        return no_attribute(thing, name)
    if not is_ours(kind):
        return ""
    if meant := nearest(name, _public(thing), cutoff=0.8):
        return _missing(kind, name, meant)
    return "" if thing._holds_more else _missing(kind, name, "a subclass of your own may have it")


@cache
def _spoken_of(kind: type) -> frozenset[str]:
    """The names of attributes that a class declares, or that its own methods speak of."""
    members = [member for base in kind.__mro__ for member in vars(base).values()]
    parts = [getattr(member, part, None) for member in members for part in ("fget", "fset", "func", "__func__")]
    codes = [getattr(inspect.unwrap(part), "__code__", None) for part in (*members, *parts) if callable(part)]
    declared = {name for base in kind.__mro__ for name in vars(base).get("__annotations__", {})}
    return frozenset(declared.union(*(code.co_names for code in codes if code is not None)))


def is_ours(kind: type) -> bool:
    """Whether a class is fastnn's own, not a user's."""
    return kind.__module__.partition(".")[0] == "fastnn"


def _is_foreign(kind: type, name: str) -> bool:
    """Whether an attribute is other libraries', and no setting of this class, nor one of a user's own subclass."""
    is_known = (not is_ours(kind) and name in attributes.ARGUMENTS_OF_FIT) or name in getattr(kind, "settings", ())
    return not is_known and bool(found(attributes.ATTRIBUTES, owners_of(kind), name))


def _unassignable(kind: type, name: str, value: Any) -> str:
    """Why `name`, a property that cannot be set or a method that would be lost, cannot be assigned; "" if it can."""
    known = getattr(kind, name, None)
    if isinstance(known, property) and known.fset is None:
        told = f"{name} of {kind.__name__} cannot be assigned"
    elif inspect.isfunction(known) and not callable(value) and not name.startswith("_"):
        told = f"{name} is a method of {kind.__name__}, and {value!r:.60} would take its place"
    else:
        return ""
    hint = found(attributes.ASSIGNED, owners_of(kind), name)
    return f"{told}; {hint}" if hint else told


def attribute_hint(thing: Any, name: str) -> str:
    """What a user of fastnn writes instead of another library's attribute; "" where none is known."""
    return found(attributes.ATTRIBUTES, owners_of(type(thing)), name)


def found(table: Mapping[str, Mapping[str, str]], owners: Iterable[str], name: str) -> str:
    """The hint for `name` in the first of the owners' tables that has one; "" if none has."""
    return next((table[owner][name] for owner in owners if name in table.get(owner, {})), "")
