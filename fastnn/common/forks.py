"""What a forked child must make anew: a lock that another thread of its parent held is never let go of there."""

import os
import weakref
from typing import Protocol


class Renewed(Protocol):
    """Something that holds locks."""

    def renew_in_child(self) -> None:
        """Make the locks anew, and what they guard: it may have been half done."""


_all: weakref.WeakSet[Renewed] = weakref.WeakSet()


def renewed_in_child(one: Renewed) -> None:
    """Have `one.renew_in_child()` called in children of this process that are made by forking."""
    _all.add(one)


def _after_fork() -> None:
    for one in list(_all):
        one.renew_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
