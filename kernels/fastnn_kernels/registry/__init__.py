"""One row per kernel: what it is compared with, on which inputs, at which sizes, at what cost.

Tests and benchmarks are loops over `REGISTRY`. A kernel without a row, or a row without a kernel,
fails `tests/kernels/test_registry.py`. One file a family: how its inputs are made, then its rows.
"""

from fastnn_kernels.registry import batch, elementwise, embedding, losses, norms, penalties, products, updates, windows
from fastnn_kernels.registry.entry import Entry

FAMILIES = (elementwise, products, embedding, batch, updates, windows, norms, losses, penalties)

REGISTRY: dict[str, Entry] = {name: entry for family in FAMILIES for name, entry in family.rows()}
