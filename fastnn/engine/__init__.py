"""From a list of operations to a table of addresses that threads run. Knows no layer, no data set, no epoch.

Which file to read for what, each list in a good order:

- what layers write on: `builder`, `ops` (operations, and axes along which they may be cut), `values` (between layers),
  `parameters` (named arrays in one block)
- memory: `memory` (buffers, placed in one arena), `available_memory` (of this process), `footprint` (of a program)
- from operations to threads: `program`, `plan` (who does what), `regions` (which operations touch the same memory),
  `schedule` (phases, chains, tasks), `pieces` (as many samples as a cache holds), `slices` and `local_rows` (of arrays
  that nobody reads after a step), `costs` (of operations), `operands` (what kernels take), `table` (what the compiled
  loop reads); `split_program` (in two parts, for ranks)
- threads: `threads` (how many), `autotune` (one or all), `forks` (which wait while another thread compiles)
"""
