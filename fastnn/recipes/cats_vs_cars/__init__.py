"""The system `cats-vs-cars`: grey pictures in two classes, tanh layers, squared error.

- `recipe`: settings, network, comparisons; `augmentation`: mirror images and shifted copies of the training pictures
- what it answers: `answers`, `squared_error` (beside the classification error), `activations` (and their derivatives),
  `saturation` (of hidden units)
"""
