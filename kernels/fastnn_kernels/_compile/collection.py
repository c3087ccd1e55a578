"""Python's garbage collection, which looks at every object of the process, put off while many come that stay."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """No garbage collection within the block; afterwards what it made counts as old."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            _count_as_old()
            gc.enable()


def _count_as_old() -> None:
    """Put all objects into the oldest generation.

    Else the first collection afterwards looks at all of them: after the imports it took 20 ms, for nothing. A user who
    has frozen objects keeps them so: to unfreeze ours would unfreeze those, too.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
