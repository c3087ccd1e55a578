"""The specs of all kernels: the reference of each, its inputs, its sizes for tests and benchmarks, its cost.

Tests and benchmarks loop over `REGISTRY`. `tests/kernels/test_registry.py` fails if a kernel has no spec, or a spec has
no kernel. Each family has a file: functions that make its inputs, then its specs.
"""

from fastnn_kernels.registry import (
    adaptive,
    batch,
    col2im,
    columns,
    draws,
    elementwise,
    embedding,
    joins,
    listed,
    losses,
    metrics,
    narrow,
    norms,
    outer_products,
    penalties,
    products,
    recurrent,
    sampled,
    sparse_windows,
    time_steps,
    updates,
    windows,
)
from fastnn_kernels.registry.spec import KernelSpec

FAMILIES = (
    *(elementwise, products, outer_products, embedding, batch, updates),
    *(windows, sparse_windows, col2im),
    *(norms, losses, metrics, penalties, narrow, joins, columns, listed, draws, sampled),
    *(adaptive, recurrent, time_steps),
)

REGISTRY: dict[str, KernelSpec] = {name: spec for family in FAMILIES for name, spec in family.specs()}
