"""What trains the trials of a sweep, in whatever process they run, and what comes back of each."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fastnn.common.errors import FastnnError
from fastnn.engine.threads import usable_threads
from fastnn.search.packing import opened

Row = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A part of a trial: train with these settings up to the epoch `until`, on from `state` if there is one."""

    settings: Mapping[str, Any]
    until: int
    state: bytes | None = None


@dataclass(frozen=True)
class Outcome:
    """What a step has come to: columns of the trial's row, and the state from which it can go on, which is a model."""

    row: Row
    state: bytes | None = None


class Job(Protocol):
    """What all trials of a sweep have in common; each process has it once."""

    def load(self, settings: Mapping[str, Any]) -> None:
        """Get the data that a trial of these settings takes. What it raises says nothing of the settings."""

    def trained(self, step: Step) -> Outcome:
        """Train a step of a trial. What it raises is the reason why the trial failed."""


def train(shared: Any, step: Step) -> Outcome:
    """Train a step of a trial. What a user's code or a training raises, and divergence, is noted in its row."""
    try:
        job: Job = opened(shared)
        job.load(step.settings)
    except Exception as error:
        return crashed(told(error))
    begin = time.monotonic()
    try:
        outcome = job.trained(step)
    except Exception as error:
        outcome = Outcome({"status": "failed", "reason": told(error)})
    return Outcome(outcome.row | {"threads": usable_threads(), "seconds": time.monotonic() - begin}, outcome.state)


def crashed(reason: str) -> Outcome:
    """What becomes of a trial that could not be tried: the next call trains it again."""
    return Outcome({"status": "crashed", "reason": reason})


def told(error: BaseException) -> str:
    """The error in a line, with its kind where it is not fastnn's own."""
    text = " ".join(str(error).split())
    return text if isinstance(error, FastnnError) and text else f"{type(error).__name__}: {text}".removesuffix(": ")
