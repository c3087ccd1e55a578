"""From a recipe to a folder with model, figures and page; sweeps."""
