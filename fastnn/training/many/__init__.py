"""Many trainings at once, side by side on the threads of one process.

- `training`: one of them; `crew`: threads that take one after the other
- `groups`: which small nets one thread trains together; `group`: how it does, a net in each lane
"""
