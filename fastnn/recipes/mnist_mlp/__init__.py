"""The system `mnist-mlp`: digits from raw pixels, with one hidden layer.

- `recipe`: settings, network, comparisons; `callbacks`: what is recorded beside losses
- what it answers: `answers`, `toy_net` (the net of the problem set's gradient check)
"""
