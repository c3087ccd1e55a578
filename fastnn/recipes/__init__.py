"""The systems. A module of this folder makes a `Recipe` (see `fastnn.experiment.recipe`) and is named here.

`RECIPES` holds the systems of the courses by id, `ALL` also the one for a user's own table.
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
