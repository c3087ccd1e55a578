"""Nets of few units: the samples of a block stand side by side.

- `layout` (where everything lies), `products`, `nets` (a whole net)
"""
