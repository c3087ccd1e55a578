"""Mistakes in every kernel turn the comparison with its reference red."""

import pytest

from fastnn_kernels.registry import REGISTRY
from tests.proofs import wrong_kernels


@pytest.mark.parametrize("name", REGISTRY)
def test_a_mistake_is_found(name):
    assert any(found for _, found in wrong_kernels.searched(name, 8, seed=0, numbers=100))


@pytest.mark.parametrize("name", ["matmul", "softmax_forward", "group_by_row"])
def test_the_body_as_it_is_passes(name):
    spec = REGISTRY[name]
    right = wrong_kernels.made(wrong_kernels.tree_of(spec.kernel.body), spec.kernel.body)
    assert not wrong_kernels.found_by_tests(spec, right, wrong_kernels.cases(name))


def test_labels_out_of_range_are_among_those_of_the_tests():
    """The flag of a label out of range was never raised in a test: a kernel that forgets it passed."""
    left = [what for what, found in wrong_kernels.searched("gather_labels", 40, seed=0) if not found]
    assert left == []
