"""Ctrl-C and SIGTERM while `fastnn`, the command, imports what it needs: they end it as they do later, in one line.

`fastnn/__init__.py` imports this file first, because both `python -m fastnn` and the installed command import the
package before any function of theirs is called. In a process that is not the command, nothing is done.
"""

import _thread
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise


def is_command() -> bool:
    """Whether this process is the installed script, or `python -m fastnn` that is still looking for the package."""
    given = sys.orig_argv
    if "--multiprocessing-fork" in given:  # a process that trains for a sweep has the arguments of the command
        return False
    if sys.argv[:1] == ["-m"]:
        return "-mfastnn" in given or any(
            flag[:1] == "-" and flag[-1:] == "m" and name == "fastnn" for flag, name in pairwise(given)
        )
    return os.path.basename(sys.argv[0] if sys.argv else "").removesuffix(".exe") == "fastnn"


def end_quietly() -> None:
    """From now on both signals end the process with 128 + their number; one that the caller ignores stays ignored."""
    with suppress(ValueError):  # only the main thread may set a handler
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _end)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _end)


def _end(number: int, frame: object) -> None:
    """End at once: nothing has begun that would have to be left in order."""
    if number == signal.SIGINT:
        os.write(2, b"fastnn: interrupted\n")
    os._exit(128 + number)


def raise_again() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt again, where `end_quietly` has changed that."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end_without_python() -> None:
    """From now on the system itself ends the process: while Python ends, it would print a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def again_where_dropped() -> Iterator[None]:
    """In the block, a signal whose exception Python drops, in a finalizer that it interrupts, comes again at once.

    Python would print a traceback, and the program go on as if nothing had been asked of it.
    """
    before = sys.unraisablehook

    def hook(dropped: "sys.UnraisableHookArgs") -> None:
        number = {KeyboardInterrupt: signal.SIGINT, SystemExit: signal.SIGTERM}.get(dropped.exc_type)
        if number is None:
            before(dropped)
        else:  # from another thread, a moment later: now it would be dropped again
            threading.Timer(0.01, _thread.interrupt_main, (number,)).start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


if is_command():
    end_quietly()
