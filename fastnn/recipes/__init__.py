"""The systems: a folder for each, named like its command, with `_` for `-`.

`RECIPES` holds the systems of the courses by id, `ALL` also the one for a user's own table. Read first `recipe` of a
folder: its settings, its network, and its `Recipe` (see `fastnn.experiment.recipe`). `answers` makes what the page of a
run tells. The `__init__` of the folder says what else is in it.

- a language model: `trigram/`
- points in the plane: `moons/` (which has blobs, too), `scalar/`
- digits: `mnist_mlp/`, `mnist_sgd/`, `mnist_cnn/`
- letters: `notmnist_mlp/`, `notmnist_cnn/`
- other pictures: `cats_vs_cars/`, `cifar10_mlp/`
- a user's own table: `table/`
- what several of them use: `shared/`
- what is done with any of them: `evaluation` (figures of a trained model), `worker` (trials of a sweep)
"""

from importlib import import_module

from fastnn.experiment.recipe import Recipe
from fastnn.recipes.table.recipe import RECIPE as TABLE

# Folders, in the order of `fastnn list`. One may hold several recipes.
FOLDERS = (
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


def _recipes_in(folder: str) -> list[Recipe]:
    """The recipes of a folder's `recipe.py`, in the order in which they stand in it."""
    module = import_module(f"{__name__}.{folder}.recipe")
    return [value for value in vars(module).values() if isinstance(value, Recipe)]


RECIPES: dict[str, Recipe] = {recipe.id: recipe for folder in FOLDERS for recipe in _recipes_in(folder)}
ALL: dict[str, Recipe] = RECIPES | {TABLE.id: TABLE}
