"""Networks as descriptions that write operations: layers, losses, initialisers, optimizers, schedules.

Which file to read for what, each list in a good order:

- a network: `graph` (which layer reads what), `network` (names, shapes, parameters), `layers/`, `outputs`, `losses/`,
  `metrics/`; `initializers/`, `config` (as plain data), `describe` (as a table)
- checks: `layer_checks` (a layer at its place), `output_check` (the last activation), `expected_data` (a user's data)
- operations: `emission` (layer by layer), `time_steps` (of sequences), `row_list` (rows of large tables); `narrow` and
  `narrow_sgd` (nets of few units, in one kernel), `narrow_many` (many such nets)
- training: `optimizers/`, `schedules`
"""

from typing import TYPE_CHECKING

from fastnn.common.hints.habits import missing_from

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, (), "names are those of fastnn itself: fn.Dense, fn.Sequential, ...")
