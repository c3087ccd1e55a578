"""What several systems use.

- `building`: optimizers, initialisers, layers and pixels, made of settings
- `published`: the figures of the course reports, in `published.json`
- parts of answers: `by_iteration` (losses by step, accuracies by epoch), `filters` (of a first convolution),
  `gradient_errors` (beside central differences)
"""
