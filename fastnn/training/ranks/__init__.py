"""One training on several ranks: each takes its rows of every batch, and rank 0 decides.

- `compile`: the step of a rank, and what the ranks exchange in it; `runner` takes that step through data
- `checks`: what ranks can train; `loop`: the training as all of them run it; `shield`: Ctrl-C on all of them at once
"""
