"""What a recipe is: its settings as a dataclass, and the few functions in which systems differ."""

import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastnn.common.names import near
from fastnn.data import Dataset, Split, find_data
from fastnn.nn.optimizers import Optimizer
from fastnn.sequential import Sequential
from fastnn.training.callbacks import Callback

if TYPE_CHECKING:
    from fastnn.experiment.results import Results

# Under --quick: runs of each comparison, and samples of validation and test set.
QUICK_RUNS, QUICK_HELD_OUT = 3, 1_000


MOST = 10**8  # of any size or count: an array of MOST × MOST numbers is still one whose size NumPy can name


def setting(
    default: Any,
    text: str,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    below: float | None = None,
) -> Any:
    """A field of a recipe's settings: its default, help text and, where they apply, choices or bounds."""
    text += f", below {below:g}" if below is not None else ""
    return field(default=default, metadata={"help": text, "choices": choices, "least": least, "below": below})


@dataclass(frozen=True)
class Settings:
    """What every recipe can be told. A subclass adds the system's own hyper-parameters, each a flag."""

    epochs: int = setting(1, "passes over the training data, at most", least=1)
    batch_size: int = setting(0, "samples a step; 0: all of them", least=0)
    samples: int = setting(0, "train on so many samples, drawn once and for all; 0: on all", least=0)
    seed: int = setting(0, "of initial weights and sample order; never of generated data", least=0)
    dtype: str = setting("float32", "of all arithmetic", choices=("float32", "float64"))


@dataclass(frozen=True)
class Comparison:
    """Runs that answer one question of the report: labels, and what each changes in the settings.

    name, question  what --compare calls it, and what it asks
    runs            label -> changes of settings
    picture         "curves" of every run; "bands", mean and deviation of runs that differ by chance; or "own",
                    which the recipe's `pictures` draws
    """

    name: str
    question: str
    runs: dict[str, dict[str, Any]]
    picture: str = "curves"

    @property
    def axes(self) -> set[str]:
        """The settings that differ among the runs."""
        return {name for changes in self.runs.values() for name in changes} - {"epochs", "samples"}


SEEDS = Comparison(
    "seeds", "how much is chance: three seeds", {f"seed {seed}": {"seed": seed} for seed in range(3)}, "bands"
)


@dataclass(frozen=True)
class Best:
    """Settings of our own that do better than the report's, and how they were found."""

    changes: dict[str, Any]
    found: str


def _fit_arguments(settings: Any, train: Split) -> dict[str, Any]:
    return {"x": train.x, "y": train.y, "batch_size": settings.batch_size or None}


def _nothing(*_: Any) -> list[Any]:
    return []


@dataclass(frozen=True)
class Recipe:
    """One of the systems.

    id, title      what the command line calls it, and what it is, in one line
    settings       the report's hyper-parameters, an instance of a Settings subclass
    quick          the settings that --quick changes
    seed_figures   what the report published, by the names of `summary.json`'s metrics
    prepare        (data as loaded, dtype) -> data as the network takes them
    build          (settings, prepared data) -> an untrained model and its optimizer
    comparisons    what --compare can choose from; `seeds` is added to those named here
    compare        the comparisons made unless --compare says otherwise
    compare_epochs epochs of each run of a comparison; 0: as many as of the chosen run
    keep           figure of the epoch whose best weights are kept; "": those of the last epoch
    rates          the learning rate that goes with another optimizer, unless --lr says
    lists          settings that take a comma-separated list: a run for each, the best of them chosen
    best           what --best changes, if there is such a thing
    load           path or None -> data, and the line that says which they are; by default `find_data` of the id
    fit_arguments  (settings, training split) -> x, y, batch_size and, where needed, shuffle for `fit`
    watch          (settings, folder of the run, whether it is the chosen one) -> further callbacks
    pictures       (results) -> [(file name, caption, figure)]
    closing        (results) -> [(title, lines of text)] for the end
    """

    id: str
    title: str
    settings: Any
    quick: dict[str, Any]
    seed_figures: dict[str, float]
    prepare: Callable[[Dataset, str], Dataset]
    build: Callable[[Any, Dataset], tuple[Sequential, Optimizer]]
    comparisons: tuple[Comparison, ...] = ()
    compare: tuple[str, ...] = ()
    compare_epochs: int = 0
    keep: str = ""
    rates: dict[str, float] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    best: Best | None = None
    load: Callable[[Path | None], tuple[Dataset, str]] | None = None
    fit_arguments: Callable[[Any, Split], dict[str, Any]] = _fit_arguments
    watch: Callable[[Any, Path, bool], list[Callback]] = _nothing
    pictures: Callable[["Results"], list[Any]] = _nothing
    closing: Callable[["Results"], list[tuple[str, list[str]]]] = _nothing

    def find(self, path: Path | None, quick: bool = False) -> tuple[Dataset, str]:
        """The system's data, and one line that says which they are. Errors as `find_data` raises."""
        data, announced = self.load(path) if self.load else find_data(self.id, path)
        if quick:
            val, test = (split and split.part(0, QUICK_HELD_OUT) for split in (data.val, data.test))
            data = Dataset(data.train, val, test, data.meta)
        return data, announced

    def with_settings(self, changes: dict[str, Any], quick: bool = False, best: bool = False) -> Any:
        """The settings with `changes` over those of --quick and --best; ValueError for one out of range.

        Another optimizer brings the learning rate that goes with it.
        """
        if best and self.best is None:
            raise ValueError(f"{self.id} has no --best settings: only the report's")
        base = dict(self.best.changes) if best and self.best else {}
        if quick:
            base |= self.quick | {"epochs": min(self.quick["epochs"], base.get("epochs", self.settings.epochs))}
        return checked(replace(self.settings, **base | self._with_rate(changes)))

    def _with_rate(self, changes: dict[str, Any]) -> dict[str, Any]:
        optimizer = changes.get("optimizer")
        if "lr" in changes or optimizer not in self.rates:
            return changes
        return changes | {"lr": self.rates[optimizer]}

    def all_comparisons(self) -> dict[str, Comparison]:
        """By name; `seeds` goes with every system."""
        return {comparison.name: comparison for comparison in (*self.comparisons, SEEDS)}

    def chosen_comparisons(self, choice: str | None, given: set[str]) -> list[Comparison]:
        """Those that `choice` names: none, all, names with commas; None: the recipe's own choice.

        Of its own accord a recipe does not vary what the user has set: `given`, names of settings.
        Raises ValueError for an unknown name.
        """
        known = self.all_comparisons()
        if choice is None:
            return [known[name] for name in self.compare if not known[name].axes & given]
        if choice in ("none", "all"):
            return [] if choice == "none" else list(known.values())
        names = [name.strip() for name in choice.split(",")]
        for name in names:
            if name not in known:
                raise ValueError(f"--compare is {name!r}; {near(name, ['none', 'all', *known])}")
        return [known[name] for name in dict.fromkeys(names)]


def checked(settings: Any) -> Any:
    """The settings themselves; ValueError for one that is out of range."""
    for item in fields(settings):
        value, least, choices = getattr(settings, item.name), item.metadata["least"], item.metadata["choices"]
        flag = f"--{item.name.replace('_', '-')}"
        _check_numbers(flag, item.name, value)
        if least is not None and not value >= least:
            raise ValueError(f"{flag} is {value}, expected at least {least:g}")
        if (below := item.metadata["below"]) is not None and not value < below:
            raise ValueError(f"{flag} is {value}, expected below {below:g}")
        if choices and value not in choices:
            raise ValueError(f"{flag} is {value!r}, expected one of {', '.join(choices)}")
    return settings


def _check_numbers(flag: str, name: str, value: Any) -> None:
    """ValueError for infinity, NaN, and sizes (also in lists such as 100x4) that no array could have."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{flag} is {value}, expected a finite number")
    numbers = re.findall(r"\d+", value) if isinstance(value, str) else [value] if isinstance(value, int) else []
    if name != "seed" and any(len(str(number)) > len(str(MOST)) or int(number) > MOST for number in numbers):
        raise ValueError(f"{flag} is {value}, expected whole numbers up to {MOST:,}")


def changed(settings: Any, **changes: Any) -> Any:
    """Settings with some of them changed; ValueError for one out of range."""
    return checked(replace(settings, **changes))


def plain(settings: Any) -> dict[str, Any]:
    """Settings as plain data, for files."""
    return asdict(settings)
