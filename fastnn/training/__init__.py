"""Steps and epochs: compiled, run, watched by callbacks, saved.

Which file to read for what, each list in a good order:

- what users call: `stateful_network` (arrays), `model` (evaluate, predict), `trainable` (fit): each is the base of the
  next one; `by_batch` and `kept` (loops of one's own), `gradient_check`, `storage` (the file)
- a step: `compile` makes a `step`, in one of the `ways`, of `batch` (its samples), `scoring` (its loss), `figures` (its
  metrics) and `scalars` (its rates); `blocks` and `sample_steps` say which steps of one sample are taken together
- a pass over data: `data_pass` (how far it is), `runner` (many steps in a call), `rounds` (many epochs in a call),
  `step_log` (losses); without training `passes`, `evaluation`, `predictions`
- a training: `settings`, `statistics` (what layers learn first), `loop`, `run` (what callbacks see), `callbacks/`;
  `joined` and `epoch_rates` (where no callback looks), `idle_rate`; `history`, `record` (how it is shown)
- what may go wrong: `rollback` (NaN), `interrupt` and `ending` (Ctrl-C), `turn` (two threads), `memory` and `needs`
- many at once: `crew` and `groups` (fit_many); `by_ranks`, `compile_ranks`, `rank_runner` (fn.distributed)
"""
