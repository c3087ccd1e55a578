"""One training: its settings, its loop, and what may go wrong.

- `settings`: its arguments, checked; `loop`: epochs and steps, with callbacks between them
- `joined`: many epochs in a pass, where no callback looks; `epoch_rates`: the learning rates of these
- what may go wrong: `rollback` (NaN), `ending` (Ctrl-C), `needs` (memory), `idle` (steps that change nothing)
"""
