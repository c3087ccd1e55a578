"""The system `mnist-cnn`: digits with two convolutions, watched from inside.

- `recipe`: settings, network, comparisons
- `records`: what a training records of its arrays, and where; `answers`: errors by step, and what the records show
"""
