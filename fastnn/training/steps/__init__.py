"""One step, compiled: the operations of a prediction, an evaluation or a training step.

- `compile` makes a `step`: of `batch` (its samples), `scoring` (its loss) and `scalars` (its learning rates)
- `differentiate`: a training step up to its gradients; `update`: what follows them; ranks share both
- `ways`: in which way a training step takes the layers; `blocks` and `sample_steps`: steps of one sample taken together
- `memory`: what a training takes of memory
"""
