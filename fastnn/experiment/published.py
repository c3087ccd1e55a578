"""What a course report published of a system: the figures that stand beside those of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Figures = Mapping[str, float]  # name of a figure -> its value; shares are fractions, not per cent


@dataclass(frozen=True)
class ByEpoch:
    """Figures that were printed epoch by epoch.

    first  the epoch that the first values belong to; 0 is before the first step
    curves name of a figure, as the history has it -> its values, an epoch each
    """

    first: int
    curves: Mapping[str, list[float]]

    def epochs(self) -> list[dict[str, float]]:
        """An entry an epoch, with its number, as a history has them."""
        count = max(map(len, self.curves.values()))
        return [
            {"epoch": self.first + i} | {name: values[i] for name, values in self.curves.items() if i < len(values)}
            for i in range(count)
        ]


@dataclass(frozen=True)
class Published:
    """All that a report published of one system.

    report    the course and the paper's title
    figures   name of an answer -> label of a row -> figures
    by_epoch  name of an answer -> label of a run -> figures by epoch
    """

    report: str = ""
    figures: Mapping[str, Mapping[str, Figures]] = field(default_factory=dict)
    by_epoch: Mapping[str, Mapping[str, ByEpoch]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Published":
        """From one entry of `recipes/shared/published.json`."""
        by_epoch = {
            answer: {label: ByEpoch(run["first"], run["curves"]) for label, run in runs.items()}
            for answer, runs in found.get("by_epoch", {}).items()
        }
        return cls(found["report"], found.get("figures", {}), by_epoch)

    def rows(self, answer: str) -> Mapping[str, Figures]:
        """The rows of an answer; {} if the report has none."""
        return self.figures.get(answer, {})

    def of(self, answer: str, label: str) -> Figures:
        """The figures of one row; {} if the report has none."""
        return self.rows(answer).get(label, {})
