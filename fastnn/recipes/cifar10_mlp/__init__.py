"""The system `cifar10-mlp`: CIFAR-10 with fully connected layers.

- `recipe`: settings and network; `comparisons`: what is compared, `sentences`: what is said of it
- `effective_rate`: a callback that records how large the steps of adaptive optimizers are
- what it answers: `answers`, `checks` (gradients, the first loss, dropout)
"""
