"""The systems: one module each, all of one shape (`fastnn.recipes.base`)."""

from fastnn.recipes import trigram
from fastnn.recipes.base import Recipe

RECIPES: dict[str, Recipe] = {recipe.id: recipe for recipe in (trigram.RECIPE,)}
