"""Letters A to J with one convolution, batch normalisation and a wide dense layer; penalties against dropout.

The report's penalty is λ·Σw² on the dense layers. --l2 means ½·l2·Σw², as in all recipes, so it is twice the λ.
"""

from dataclasses import dataclass

from fastnn.data import Dataset, Use
from fastnn.experiment.answers import Answer
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import ExperimentResult
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import InitializerName
from fastnn.nn.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool2D
from fastnn.nn.optimizers import Optimizer
from fastnn.recipes.shared.building import OPTIMIZER_NAMES, classes_of, optimizer_of, pixels
from fastnn.recipes.shared.filters import filters_answer
from fastnn.recipes.shared.published import PUBLISHED


@dataclass(frozen=True)
class NotMnistCnnSettings(Settings):
    """Those of the report, without penalty and dropout, which it compares."""

    epochs: int = setting(50, "passes over the training data", least=1)
    filters: int = setting(32, "filters of the convolution", least=1)
    hidden: int = setting(784, "units of the dense layer", least=1)
    optimizer: str = setting("adam", "sgd is without momentum", choices=OPTIMIZER_NAMES)
    lr: float = setting(1e-4, "learning rate", least=0)
    batch_size: int = setting(32, "samples a step", least=1)
    l2: float = setting(0.0, "penalty ½·l2·Σw² on the dense layers: twice the report's λ", least=0)
    dropout: float = setting(0.0, "fraction of the hidden units that is dropped", least=0, below=1)


def build(settings: NotMnistCnnSettings, data: Dataset) -> tuple[Sequential, Optimizer]:
    start: InitializerName = "glorot_normal"
    model = Sequential(
        [
            Conv2D(settings.filters, 3, "relu", initializer=start),
            BatchNorm(momentum=0.99, eps=1e-3),
            MaxPool2D(2),
            Flatten(),
            Dense(settings.hidden, "relu", start, l2=settings.l2),
            *([Dropout(rate=settings.dropout)] if settings.dropout else []),
            Dense(len(classes_of(data)), "identity", start, l2=settings.l2),
        ],
        input_shape=data.train.x.shape[1:],
        loss="softmax_cross_entropy",
        dtype=settings.dtype,
        seed=settings.seed,
    )
    model.meta = {"recipe": "notmnist-cnn", "classes": classes_of(data)}
    return model, optimizer_of(settings)


def answers(results: ExperimentResult) -> list[Answer]:
    """The filters of the convolution."""
    return [filters_answer(results, "Which filters has the convolution learnt?")]


COMPARISONS = (
    Comparison(
        "l2",
        "How strong a penalty λ·Σw² on the dense layers?",
        {f"λ {label}": {"l2": 2 * value} for label, value in (("0.01", 0.01), ("0.1", 0.1), ("0.5", 0.5))},
        report="Its accuracies fall with the penalty on all three sets. Its losses include the penalty, as ours do.",
    ),
    Comparison(
        "dropout",
        "How much dropout after the dense layer?",
        {f"rate {label}": {"dropout": value} for label, value in (("0.9", 0.9), ("0.75", 0.75), ("0.5", 0.5))},
        report="With more dropout its training accuracy falls, those of validation and test rise.",
    ),
)

RECIPE = Recipe(
    id="notmnist-cnn",
    title="letters A to J with a convolution and batch normalisation: penalties against dropout",
    settings=NotMnistCnnSettings(),
    quick={"epochs": 4, "samples": 1_500, "filters": 8, "hidden": 128, "lr": 1e-3},
    published=PUBLISHED["notmnist-cnn"],
    data_set="notmnist",
    use=Use(val=6_000, test=2_724, shuffled=True, needs=("val", "test")),
    preprocessing=pixels(divide=255),
    build=build,
    comparisons=COMPARISONS,
    compare=("l2", "dropout"),
    rates={"adam": 1e-4, "adamw": 1e-4, "rmsprop": 1e-4, "adagrad": 1e-3, "sgd": 1e-2},
    answers=answers,
)
