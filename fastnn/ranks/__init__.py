"""Several processes, the ranks of MPI, that train one model together.

Read `group` first: what `fn.distributed()` gives, and what a rank knows of the others. How several ranks train is in
`fastnn.training.ranks`.

- `group` (the block of `fn.distributed`), `communicator` (the operations that all ranks call)
- `sums` (over ranks, in their order), `row_sums` (of tables that are 0 in nearly all rows)
"""
