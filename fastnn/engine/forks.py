"""A fork waits while another thread compiles, or loads compiled code.

Numba does both under one lock. A child that is forked while another thread has it would wait for it for ever, and
LLVM's memory would be half changed there. The first training of a new version may compile for half a minute.
"""

import os

from numba.core.compiler_lock import global_compiler_lock

_held = False  # by the thread that forks


def _before() -> None:
    global _held
    global_compiler_lock.acquire()  # Ctrl-C may end the waiting: then there is nothing to release
    _held = True


def _after() -> None:
    global _held
    if _held:
        _held = False
        global_compiler_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
