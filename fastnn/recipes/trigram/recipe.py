"""A neural language model: the fourth word from the three before it, over 250 words.

The network of the report: an embedding of width D for each word, P sigmoid units, a softmax over the vocabulary. It is
trained by stochastic gradient descent with momentum and stopped by the validation cross-entropy. There are no one-hot
vectors: the forward pass gathers rows of the embedding, the backward pass sums gradients by row.
"""

from fastnn.common.text import setting_text
from fastnn.data import Dataset
from fastnn.data.preprocessing import Words
from fastnn.experiment.answers import Answer
from fastnn.experiment.comparison import Best, Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import ExperimentResult
from fastnn.recipes.shared.published import PUBLISHED
from fastnn.recipes.trigram.answers import (
    FIRST,
    first_epochs,
    next_words,
    told_against_none,
    told_gaps,
    told_speed,
    word_map,
)
from fastnn.recipes.trigram.checks import order_answer, softmax_answer
from fastnn.recipes.trigram.counts import counts_answer
from fastnn.recipes.trigram.network import TrigramSettings, build
from fastnn.recipes.trigram.text import OF_TEXT, load, text_answer
from fastnn.recipes.trigram.text_defaults import TOLD, suited, unused_of_samples

# The report's search: learning rate, batch, momentum; 30 epochs each.
TRIPLES = (
    *((0.01, 50, 0.1), (0.05, 100, 0.3), (0.1, 150, 0.5), (0.15, 200, 0.7)),
    *((0.3, 250, 0.85), (0.5, 150, 0.9), (0.1, 250, 0.6), (0.17, 100, 0.4)),
)


def preprocessing(data: Dataset) -> Words:
    return Words(data.meta["words"], data.meta.get("tokenizer", "spaces"))


def answers(results: ExperimentResult) -> list[Answer]:
    """Those of the trainings, then small computations, but for those of a text that is not the report's."""
    if "tokenizer" in results.data.meta:
        return [text_answer(results), counts_answer(results), *next_words(results), word_map(results)]
    found = [first_epochs(results), counts_answer(results), *next_words(results), word_map(results)]
    return [*found, order_answer(results, RECIPE), softmax_answer()]


# The first three runs of each are made under --quick, too: those that the report names.
COMPARISONS = (
    Comparison(
        "sizes",
        "How large must embedding and hidden layer be?",
        # Vectors that are given have one width: these runs start from random ones.
        {size: {"sizes": size, "embedding": ""} for size in ("8x64", "16x128", "32x256")},
        report="The larger, the better: validation accuracy 28, 33 and 34 %.",
        told=told_gaps,
    ),
    Comparison(
        "search",
        "Which of the report's eight triples of learning rate, batch and momentum is best?",
        {
            f"lr {setting_text(lr)}, batch {batch}, momentum {setting_text(momentum)}": {
                "lr": lr,
                "batch_size": batch,
                "momentum": momentum,
                "optimizer": "sgd",
                "epochs": 30,
            }
            for lr, batch, momentum in TRIPLES
        },
    ),
    Comparison(
        "optimizers",
        "Which optimizer learns fastest?",
        {
            "momentum": {},
            "adam": {"optimizer": "adam", "lr": 0.001},
            "adagrad": {"optimizer": "adagrad", "lr": 0.01},
            "sgd": {"momentum": 0.0},
            "rmsprop": {"optimizer": "rmsprop", "lr": 0.001},
        },
        report="Adam is slightly the best, AdaGrad the worst.",
        told=told_speed,
    ),
    Comparison(
        "initializers",
        "How should weights start?",
        {name: {"initializer": name} for name in ("normal", "xavier", "zeros", "uniform", "he_normal")},
        report="Xavier's is the best.",
        told=told_speed,
    ),
    Comparison(
        "regularisation",
        "Do penalties, dropout or batch normalisation help?",
        {
            "none": {},
            "dropout 0.2": {"dropout": 0.2},
            "l2 1e-5": {"l2": 1e-5},
            "l1 1e-6": {"l1": 1e-6},
            "batch norm": {"batch_norm": True},
            "stop at a gap of 0.1": {"max_gap": 0.1},
        },
        report="Dropout helps a little.",
        told=told_against_none,
    ),
    Comparison(
        "combine",
        "Are embeddings better side by side, or summed?",
        {"concatenated": {"combine": "concatenate"}, "summed, batch 250": {"combine": "sum", "batch_size": 250}},
        report="Its program summed the embeddings, in batches of 250.",
        told=told_gaps,
    ),
)

RECIPE = Recipe(
    id="trigram",
    title="neural language model: the fourth word from three, vocabulary 250, no one-hot tensor",
    settings=TrigramSettings(),
    quick={"epochs": 8, "batch_size": 50, "samples": 60_000, "lr": 0.3},
    published=PUBLISHED["trigram"],
    data_set="trigram",
    load=load,
    read_by=OF_TEXT,
    several=True,
    preprocessing=preprocessing,
    build=build,
    suited=suited,
    told=TOLD,
    unused=unused_of_samples,
    comparisons=COMPARISONS,
    compare=("sizes",),
    keep="val_loss",
    rates={"adam": 0.001, "adamw": 0.001, "rmsprop": 0.001, "adagrad": 0.01},
    lists=("sizes",),
    best=Best(
        {
            "optimizer": "adam",
            "lr": 5e-4,
            "activation": "gelu",
            "initializer": "xavier",
            "sizes": "128x512",
            "dropout": 0.5,
        },
        "the lowest validation cross-entropy of a sweep over sizes 64x256, 64x512, 128x512, dropout 0.3, 0.5 and rates "
        "0.0005, 0.001 on the course's file: 2.442 after 34 epochs, where the report's net ends at 2.559; test "
        "accuracy 39.3 %",
    ),
    after_epoch=("train", "test"),
    train_until=FIRST,
    answers=answers,
)
