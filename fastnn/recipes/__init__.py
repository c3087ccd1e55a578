"""The systems: one module each, all of one shape (`fastnn.recipes.base`)."""

from fastnn.experiment.recipe import Recipe
from fastnn.recipes import (
    cats_vs_cars,
    cifar10_mlp,
    mnist_cnn,
    mnist_mlp,
    mnist_sgd,
    moons,
    notmnist_cnn,
    notmnist_mlp,
    scalar,
    trigram,
)

_ALL = (
    trigram.RECIPE,
    cats_vs_cars.RECIPE,
    cifar10_mlp.RECIPE,
    moons.MOONS,
    moons.BLOBS,
    mnist_cnn.RECIPE,
    scalar.RECIPE,
    mnist_sgd.RECIPE,
    notmnist_mlp.RECIPE,
    notmnist_cnn.RECIPE,
    mnist_mlp.RECIPE,
)
RECIPES: dict[str, Recipe] = {recipe.id: recipe for recipe in _ALL}
