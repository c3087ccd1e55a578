"""A recipe: the settings of a system as a dataclass, and the few functions in which systems differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastnn.common.names import near
from fastnn.data import Dataset, Split, Use, find_data
from fastnn.data.preprocessing import Preprocessing
from fastnn.experiment.answers import Answer
from fastnn.experiment.comparison import SEEDS, Best, Comparison
from fastnn.experiment.published import Published
from fastnn.experiment.results import ExperimentResult
from fastnn.experiment.settings import checked
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer
from fastnn.training.callbacks import Callback

# Under --quick: samples of the validation set and of the test set.
QUICK_HELD_OUT = 1_000

# Training samples on which figures are taken, drawn where there are more: those of all would take minutes, before the
# first step, after some epochs and at the end, and seem to hang. The mean over the steps of an epoch is of all.
MOST_MEASURED = 2_000_000


def _fit_arguments(settings: Any, train: Split) -> dict[str, Any]:
    return {"x": train.x, "y": train.y, "batch_size": settings.batch_size or None}


def _nothing(*_: Any) -> list[Any]:
    return []


def _none(data: Dataset) -> None:
    return None


def _unchanged(model: Model, data: Dataset) -> Model:
    return model


def _one_for_all(recipe: "Recipe", path: Path | tuple[Path, ...] | None, changes: dict[str, Any]) -> "Recipe":
    return recipe


def _as_given(settings: Any, data: Dataset, given: set[str]) -> Any:
    return settings


@dataclass(frozen=True)
class Recipe:
    """One of the systems.

    id, title      its name on the command line, and one line that says what it is
    settings       the report's hyper-parameters, an instance of a Settings subclass
    quick          the settings that --quick changes
    data_set       the name of its data set in the catalogue; --data takes files of that data set's formats
    use            how the data set is divided; None: as it comes
    load           (path or None, settings) -> data, and one line that says which they are; None: `find_data`
    read_by        the names of the settings by which `load` reads the data; a sweep cannot vary them
    published      what the report published
    preprocessing  (data as loaded) -> what lies between them and the network; None: nothing. Data are prepared by it
                   once, before training, and the model that is saved has it
    several        whether --data may be given several times: then `load` takes a tuple of paths, too
    prepare_by     (data as loaded, settings) -> prepared data, with `meta["preprocessing"]`: where settings decide
    build          (settings, prepared data) -> an untrained model and its optimizer; of the data it uses `meta` and the
                   shapes alone
    suited         (this recipe, path or None, the settings that the user gave) -> the recipe for these data, with the
                   same id and kind of settings: a user's own data may need others than the report's
    told           what --help says beside the title: of such data
    shown          settings that are printed before the first training: those of which --help has other defaults
    unused         (settings) -> the names of those that say nothing of such data or of such a net: pages leave them out
    adapted        (settings, data as loaded, names of settings that the user gave) -> settings that suit these data
    comparisons    those that --compare offers; `seeds` is added to them
    compare        the names of the comparisons that are made unless --compare names others
    compare_epochs epochs of each run of a comparison; 0: as many as the chosen run has
    keep           the figure whose best epoch gives the weights that are kept; "": those of the last epoch
    rates          optimizer -> its learning rate, for an optimizer given without --lr
    lists          settings that take a comma-separated list: each value is a run, the best of them is chosen
    best           settings for --best, if there are any
    fit_arguments  (settings, training split) -> x, y, batch_size and, where needed, shuffle and class_weight for `fit`;
                   the latter {label: weight}, by which validation samples are weighed, too
    callbacks      (settings, folder of the run, whether it may be chosen) -> further callbacks
    measured       how many training samples a finished training is measured on, and validation samples each epoch,
                   drawn once and for all, where all, or figures before the first step, would take too long; 0: all,
                   but of training samples at most MOST_MEASURED
    judged         how many validation and test samples a finished training is measured on, the first ones; 0: all
    after_epoch    splits beside the validation set that are evaluated after each epoch, for the history: "test", and
                   "train" where the report drew the training set evaluated so, and not as the mean over the epoch
    train_until    with "train" in `after_epoch`: the last epoch after which it is evaluated; 0: after each
    tests_last     whether the chosen run trains on the training and the validation set, and is the only one that is
                   tested: comparisons are then made on the validation set alone
    trained        (a model whose training has ended, prepared data): completes it, in place
    usable         (the chosen model, prepared data) -> the model that the folder keeps
    answers        (results) -> answers of the system's own, and names of usual ones: see `answering.answers_of`
    """

    id: str
    title: str
    settings: Any
    quick: dict[str, Any]
    data_set: str
    build: Callable[[Any, Dataset], tuple[Model, Optimizer]]
    published: Published = field(default_factory=Published)
    preprocessing: Callable[[Dataset], Preprocessing | None] = _none
    use: Use | None = None
    load: Callable[[Any, Any], tuple[Dataset, str]] | None = None
    read_by: tuple[str, ...] = ()
    several: bool = False
    prepare_by: Callable[[Dataset, Any], Dataset] | None = None
    suited: Callable[["Recipe", Path | tuple[Path, ...] | None, dict[str, Any]], "Recipe"] = _one_for_all
    told: str = ""
    shown: tuple[str, ...] = ()
    unused: Callable[[Any], Sequence[str]] = _nothing
    adapted: Callable[[Any, Dataset, set[str]], Any] = _as_given
    comparisons: tuple[Comparison, ...] = ()
    compare: tuple[str, ...] = ()
    compare_epochs: int = 0
    keep: str = ""
    rates: dict[str, float] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    best: Best | None = None
    fit_arguments: Callable[[Any, Split], dict[str, Any]] = _fit_arguments
    callbacks: Callable[[Any, Path, bool], list[Callback]] = _nothing
    measured: int = 0
    judged: int = 0
    after_epoch: tuple[str, ...] = ("test",)
    train_until: int = 0
    tests_last: bool = False
    trained: Callable[[Model, Dataset], Any] = _nothing
    usable: Callable[[Model, Dataset], Model] = _unchanged
    answers: Callable[[ExperimentResult], Sequence[Answer | str]] = _nothing

    def find(
        self, path: Path | tuple[Path, ...] | None, quick: bool = False, settings: Any = None
    ) -> tuple[Dataset, str]:
        """The system's data, and one line that says which they are. Raises what `find_data` raises.

        settings : of the run, of which those named in `read_by` are used; None: the recipe's own
        """
        given = settings or self.settings
        data, announced = self.load(path, given) if self.load else find_data(self.data_set, path, self.use)  # type: ignore[arg-type]
        if quick:
            data = first_held_out(data, QUICK_HELD_OUT)
        if len(data.train) > MOST_MEASURED and not self.measured:
            announced += f"; figures of the training data are taken on {MOST_MEASURED:,} drawn samples"
        return data, announced

    def measured_on(self, data: Dataset) -> int:
        """How many training samples figures are taken on, beside the mean over the steps of an epoch; 0: all."""
        return self.measured or (MOST_MEASURED if len(data.train) > MOST_MEASURED else 0)

    def prepare(self, data: Dataset, dtype: str, settings: Any = None) -> Dataset:
        """Data as loaded as networks of that dtype take them; `meta["preprocessing"]` says what was done with them.

        settings : of the run, as of `find`
        """
        if self.prepare_by:
            return self.prepare_by(data, replace(settings or self.settings, dtype=dtype))
        found = self.preprocessing(data)
        if found is None:
            return data
        prepared = found.prepared(data, dtype)
        return replace(prepared, meta=data.meta | {"preprocessing": found})

    def with_settings(self, changes: dict[str, Any], quick: bool = False, best: bool = False) -> Any:
        """The settings with `changes`, which come before those of --quick and --best.

        Another optimizer brings its learning rate, unless `changes` have one. ValueError for a value out of range, or
        for `best` where the recipe has none.
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
        """By name; every system has `seeds`."""
        return {comparison.name: comparison for comparison in (*self.comparisons, SEEDS)}

    def chosen_comparisons(self, choice: str | None, given: set[str], quick: bool = False) -> list[Comparison]:
        """The comparisons that `choice` names.

        choice  "none", "all", or names with commas; None: the recipe's own choice
        given   names of the settings that the user gave: the recipe's own choice does not vary these
        quick   whether the user gave --quick, under which the recipe's own choice leaves some out

        Raises ValueError for an unknown name.
        """
        known = self.all_comparisons()
        if choice is None:
            usual = [one for one in map(known.__getitem__, self.compare) if one.is_baseline or not one.axes & given]
            return [comparison for comparison in usual if not (quick and comparison.quick == "none")]
        if choice in ("none", "all"):
            return [] if choice == "none" else list(known.values())
        names = [name.strip() for name in choice.split(",")]
        for name in names:
            if name not in known:
                raise ValueError(f"--compare is {name!r}; {near(name, ['none', 'all', *known])}")
        return [known[name] for name in dict.fromkeys(names)]


def first_held_out(data: Dataset, count: int) -> Dataset:
    """The data with the first `count` validation and test samples; all of them if `count` is 0 or not less."""
    if not count:
        return data
    val, test = (split and split.part(0, min(count, len(split))) for split in (data.val, data.test))
    return Dataset(data.train, val, test, data.meta)
