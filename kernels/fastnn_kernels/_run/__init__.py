"""How kernels are run.

- `driver`: a table of calls, by one compiled loop
- `adapter`: one call of the table
- `team`: the threads that run a table together
"""
