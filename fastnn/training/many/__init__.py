"""Many trainings at once, side by side on the threads of one process.

- `training`: one of them; `worker_threads` take one after the other
- `groups`: which small nets one thread trains together; `group`: how it does, a net in each lane
"""
