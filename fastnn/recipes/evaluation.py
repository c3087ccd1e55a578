"""The figures of a trained model on other data, in the formats that its system is trained on."""

import copy
from pathlib import Path
from typing import Any, NamedTuple

from fastnn.common.errors import DataError
from fastnn.data import Dataset, find_data, load_trigram
from fastnn.data.formats.numerals import Numerals
from fastnn.data.preprocessing import Words
from fastnn.data.spans import in_spans
from fastnn.experiment.recipe import Recipe
from fastnn.language.of_text import PAIR
from fastnn.models import Model
from fastnn.nn.metrics import config
from fastnn.nn.outputs import with_metrics
from fastnn.recipes import RECIPES, TABLE
from fastnn.recipes.table.recipe import labelled
from fastnn.text.tokens import Tokenizer


class Figures(NamedTuple):
    """Loss and metrics of a model on a number of samples."""

    samples: int
    metrics: dict[str, float]


def figures_on(model: Model, path: Path, numerals: Numerals | None = None) -> dict[str, Figures]:
    """Split -> its figures, for each split of the data, which stay as they stand in their file.

    numerals : how a table writes its numbers; None: as the one that the model was trained on

    Of a text these are the perplexity, too, and the fraction of the words that have no id.

    DataError for a model that names no system, or data that do not fit it; FileFormatError as the readers do.
    """
    if model.meta.get("recipe") == TABLE.id:
        x, y = labelled(model, path, numerals)
        return {"test": Figures(len(y), model.evaluate(x, y))}
    if numerals:
        raise DataError("this is no model of a table: --decimal and --thousands say how tables write numbers")
    recipe = _recipe_of(model)
    data = _loaded(model, recipe, path)
    if model.preprocessing is None and (recipe.prepare_by or recipe.preprocessing(data)):
        raise DataError(
            "the model was saved by an earlier fastnn, without what lies between data and network: train again"
        )
    judged, parts = _with_perplexity(model), data.meta.get("parts", {})
    return {
        name: Figures(len(split), judged.evaluate(split.x, split.y) | _unknown(parts.get(name, {})))
        for name, split in data.splits().items()
    }


def _recipe_of(model: Model) -> Recipe:
    name = model.meta.get("recipe")
    if not isinstance(name, str) or name not in RECIPES:
        raise DataError(
            "the model names no system, so the format of its data is not known: use fn.load(path).evaluate(x, y) in "
            "Python"
        )
    return RECIPES[name]


def _with_perplexity(model: Model) -> Model:
    """The model; one of words with the same arrays, which measures its perplexity, too."""
    if not isinstance(model.preprocessing, Words):
        return model
    judged, judged.network = copy.copy(model), copy.copy(model.network)
    (output,) = model.network.outputs
    judged.network.outputs = with_metrics([output], [*config(output.metrics), "perplexity"])
    return judged


def _unknown(part: dict[str, Any]) -> dict[str, float]:
    """What a text's part says of its words."""
    return {"unknown": part["unknown"]} if "unknown" in part else {}


def _loaded(model: Model, recipe: Recipe, path: Path) -> Dataset:
    words = model.preprocessing
    if isinstance(words, Words):
        rules = Tokenizer().config() if isinstance(words.tokenizer, str) else dict(words.tokenizer)
        rules["ids_file"] = words.known.ids_file
        length = model.network.input_shape[0]
        if model.network.outputs[0].steps:
            return in_spans(load_trigram(path, words.vocabulary, order=PAIR, **rules), length)
        return load_trigram(path, words.vocabulary, order=length + 1, **rules)
    return recipe.load(path, None)[0] if recipe.load else find_data(recipe.data_set, path)[0]
