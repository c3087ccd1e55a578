"""The system `mnist-sgd`: digits, one picture a step.

- `recipe`: settings, network, comparisons
- `answers`: how much of loss and accuracy is chance
"""
