"""Two models of the same text, mixed: p = λ·p₁ + (1 − λ)·p₂."""

import numpy as np

from fastnn.text.kneser_ney import Floats

ROUNDS, CLOSE = 200, 1e-6


def best_weight(first: Floats, second: Floats) -> float:
    """The λ in 0 … 1 under which a text is most likely, from both models' probabilities of its words, (N,) each.

    Found by expectation-maximisation, each round of which makes the text more likely (F. Jelinek and R. L. Mercer,
    "Interpolated estimation of Markov source parameters from sparse data", 1980). Take another text for it than the one
    that either model has learnt.
    """
    weight = 0.5
    for _ in range(ROUNDS):
        share = weight * first
        before, weight = weight, float(np.mean(share / (share + (1 - weight) * second)))
        if abs(weight - before) < CLOSE:
            break
    return weight


def mixed(weight: float, first: Floats, second: Floats) -> Floats:
    """Probabilities of the mixture."""
    return weight * first + (1 - weight) * second
