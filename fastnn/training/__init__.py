"""Steps and epochs: compiled, run, watched by callbacks, saved.

The packages in their order; each imports from itself and from those before it (`tests/system/test_imports.py`):

- `history/`: what is recorded of a step, of an epoch and of a training
- `steps/`: one step, compiled: a prediction, an evaluation or a training step
- `passes/`: a compiled step taken through data, many steps in a call
- `models/`: a network with its arrays: what is asked of it, and its file
- `callbacks/`: what watches a training, and the training that it sees
- `fit/`: one training: its settings, its loop, and what may go wrong
- `ranks/`: one training on several ranks (fn.distributed)
- `many/`: many trainings at once (fn.fit_many)
- what users call: `trainable` (fit, which `start` begins), and `by_batch` (one step, in a loop of their own)
"""
