"""The fields of a run's summary.json.

The file is one JSON object with the fields of `Summary` and, once the run has finished, those of `Ending` after them,
in the order in which they stand here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, get_origin

from fastnn.experiment.answers import from_json

SCHEMA = 1


@dataclass(frozen=True)
class ComparedRun:
    """A run in the table of a comparison.

    label       its name in the comparison
    comparison  the comparison's name
    question    the comparison's title
    run         its name in history.csv: one training may be part of several comparisons
    config      its settings
    metrics     loss and metrics on each split; {} if it failed
    failed      why it has no metrics; "" if it has them, then the file lacks the field
    """

    label: str
    comparison: str = ""
    question: str = ""
    run: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    epochs_run: int = 0
    failed: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {name: value for name, value in _shallow(self).items() if name != "failed" or value}


class Spread(NamedTuple):
    """A metric over the runs of a comparison; the file holds the two numbers as a list."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Ending:
    """The fields that a finished run adds.

    chosen       label of the run whose model was kept
    metrics      loss and metrics of that run on each split
    best_epoch   the epoch whose weights were kept
    epochs_run   how many epochs it had
    stop_reason  why it ended early; None if it did not
    tokens_of_samples
                 of samples that are rows of tokens, how many; 0: they are none
    runs         the rows of all comparisons
    spreads      comparison -> metric -> its mean and deviation, for runs that differ by chance only
    answers      questions with their figures, beside the published ones, as `answers.Answer.to_json` has them
    pictures     file name -> caption
    network      the table of the chosen net's layers, as text
    finished_at  when the run ended, in UTC
    seconds      how long all trainings and pictures of the command took, from its last start
    peak_rss_mb  the most memory the process had, in 10⁶ bytes
    """

    chosen: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    epochs_run: int = 0
    stop_reason: str | None = None
    seconds_per_epoch: float | None = None
    samples_per_second: float | None = None
    tokens_of_samples: int = 0
    runs: list[ComparedRun] = field(default_factory=list)
    spreads: dict[str, dict[str, Spread]] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
    network: str = ""
    finished_at: str = ""
    seconds: float | None = None
    peak_rss_mb: float | None = None

    def comparisons(self) -> dict[str, list[ComparedRun]]:
        """The rows of each comparison by its name, in the order of `runs`."""
        found: dict[str, list[ComparedRun]] = {}
        for run in self.runs:
            found.setdefault(run.comparison, []).append(run)
        return found


@dataclass(frozen=True)
class Summary:
    """The settings and data of a run, its status, and, once it has finished, its `ending`.

    schema        version of the file's format
    id, title     the recipe's
    command       the command line; "" if it is not known
    status        "running", "finished", "interrupted" or "diverged"
    data          "generated", or the path of the data
    data_note     one line that says which data they are
    samples       split -> number of samples
    config        the settings, and what else must stay the same when the run is resumed; {} if the file has none
    unused        names of settings that say nothing of such data or of such a net
    quick         whether --quick was given
    best          how the settings of --best were found; None without --best
    versions      package -> version
    report        the course report whose figures stand beside ours; "" if there is none
    true_entropy  of the data, in nats; None where it is not known
    """

    schema: int = SCHEMA
    id: str = ""
    title: str = ""
    command: str = ""
    status: str = "unknown"
    data: str | None = None
    data_note: str = ""
    samples: dict[str, int] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    quick: bool = False
    best: str | None = None
    threads: int | None = None
    dtype: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    report: str = ""
    true_entropy: float | None = None
    ending: Ending | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that say something of this run."""
        return {name: value for name, value in self.config.items() if name not in self.unused}

    @property
    def is_generated(self) -> bool:
        """Whether the data are fastnn's own stand-in."""
        return self.data == "generated"

    def to_json(self) -> dict[str, Any]:
        """As the file holds it: plain data, those of `ending` in the same object; None for what is not finite."""
        found = _shallow(self)
        ending = found.pop("ending")
        if ending is not None:
            found |= _shallow(ending) | {"runs": [run.to_json() for run in ending.runs]}
        return _finite(found)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Summary":
        """The summary that a file holds. Fields of a newer version are ignored, missing ones get their defaults.

        TypeError or AttributeError for what no run wrote.
        """
        known = _known(cls, found)
        ended = _known(Ending, found)
        if ended:
            for answer in found.get("answers", ()):
                from_json(answer)  # shows here, and not when it is printed, that the file holds something else
            runs = [ComparedRun(**_known(ComparedRun, run)) for run in found.get("runs", ())]
            spreads = {
                comparison: {name: Spread(*spread) for name, spread in metrics.items()}
                for comparison, metrics in found.get("spreads", {}).items()
            }
            ended |= {"runs": runs, "spreads": spreads}
        return cls(**known | {"ending": Ending(**ended) if ended else None})


def _finite(found: Any) -> Any:
    """The same data with None in the place of NaN and infinity, for which JSON has no words."""
    if isinstance(found, Mapping):
        return {key: _finite(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [*map(_finite, found)]
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _shallow(record: Any) -> dict[str, Any]:
    """Field -> value, in order."""
    return {item.name: getattr(record, item.name) for item in fields(record)}


def _known(kind: type, found: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `found` that are fields of the dataclass `kind`. TypeError for one of another type."""
    known = [item for item in fields(kind) if item.name in found]
    for item in known:
        expected: Any = get_origin(item.type) or item.type
        if expected in (str, int, bool, dict, list) and type(found[item.name]) is not expected:
            raise TypeError(f"{item.name} is {found[item.name]!r:.60}, expected {expected.__name__}")
    return {item.name: found[item.name] for item in known}
