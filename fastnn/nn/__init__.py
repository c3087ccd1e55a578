"""Networks as descriptions that write operations: layers, losses, initialisers, optimizers, schedules."""

from typing import TYPE_CHECKING

from fastnn.common.hints.habits import missing_from

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, (), "names are those of fastnn itself: fn.Dense, fn.Sequential, ...")
