"""How compiled kernels are kept, and compiled in several processes.

- in a cache on disk: `cache`, in one of the `folders`; `linked` (code that calls other code of ours)
- with constants that are no longer read from memory: `folded`
- by several processes: `parallel`, which starts `worker`s; `claims` (who compiles what)
- without pauses of Python's garbage collector: `collection`
"""
