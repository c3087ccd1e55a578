"""The weight of a mixture is the one under which the text is most likely."""

import numpy as np
import pytest

from fastnn.text.mixture import best_weight, mixed


@pytest.mark.parametrize("seed", range(4))
def test_no_other_weight_is_better(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.beta(1, 3, 500), rng.beta(1, 2 + seed, 500)
    tried = np.linspace(0, 1, 1001)
    losses = [-np.log(mixed(weight, first, second)).mean() for weight in tried]
    assert abs(best_weight(first, second) - tried[np.argmin(losses)]) < 2e-3


@pytest.mark.parametrize(("first", "second", "want"), [(0.5, 0.1, 1), (0.1, 0.5, 0), (0.3, 0.3, 0.5)])
def test_a_model_that_is_better_everywhere_has_all_the_weight(first, second, want):
    assert best_weight(np.full(9, first), np.full(9, second)) == pytest.approx(want, abs=1e-3)
