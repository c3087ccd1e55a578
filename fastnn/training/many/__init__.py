"""Many trainings at once, side by side on the threads of one process.

- `crew`: threads that take one training after the other
- `groups`: small nets that one thread trains together, a net in each lane
"""
