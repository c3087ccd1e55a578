"""The systems. A module of this folder makes a `Recipe` (see `fastnn.experiment.recipe`) and is named here.

`RECIPES` holds the systems of the courses by id, `ALL` also the one for a user's own table.

The file that is named like a system has its recipe: read it first. Beside it are

- a language model: `trigram`; `trigram_net`, `trigram_text` and `trigram_book` (a user's own text), `trigram_counts`
  (models that count), `trigram_answers`, `trigram_checks`
- points: `moons`, `moons_answers`, `moons_borders`; `scalar`, `scalar_points`, `plain_net` (in plain Python),
  `scalar_answers`
- digits: `mnist_mlp`, `mnist_mlp_answers`; `mnist_sgd`; `mnist_cnn`, `mnist_cnn_answers`, `filters_answer`
- letters and pictures: `notmnist_mlp`; `notmnist_cnn`; `cats_vs_cars`, `cats_answers`, `cats_error`; `cifar10_mlp`,
  `cifar10_comparisons`, `cifar10_checks`, `cifar10_answers`
- a user's own table: `table`, `table_data` and `table_rows` (what is in it), `table_importance`, `table_answers`
- what several of them use: `shared`, `published` (figures of the reports), `activation_answer`, `by_iteration`,
  `effective_rate`, `gradient_errors`, `toy_net`
- trained models, and trials of a sweep: `evaluation`, `worker`
"""

from importlib import import_module

from fastnn.experiment.recipe import Recipe
from fastnn.recipes import table

# In the order of `fastnn list`. A module may hold several recipes.
MODULES = (
    "trigram",
    "cats_vs_cars",
    "cifar10_mlp",
    "moons",
    "mnist_cnn",
    "scalar",
    "mnist_sgd",
    "notmnist_mlp",
    "notmnist_cnn",
    "mnist_mlp",
)


def _recipes_of(name: str) -> list[Recipe]:
    """The recipes of a module, in the order in which they stand in it."""
    return [value for value in vars(import_module(f"{__name__}.{name}")).values() if isinstance(value, Recipe)]


RECIPES: dict[str, Recipe] = {recipe.id: recipe for name in MODULES for recipe in _recipes_of(name)}
TABLE: Recipe = table.RECIPE
ALL: dict[str, Recipe] = RECIPES | {TABLE.id: TABLE}
