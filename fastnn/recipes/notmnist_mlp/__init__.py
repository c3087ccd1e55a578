"""The system `notmnist-mlp`: letters with one hidden layer, by full-batch momentum.

- `recipe`: settings, network, comparisons
- `answers`: losses as the report averages them, and what stopping early costs
"""
