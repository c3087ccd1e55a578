"""Memory.

- `view` (a part of an array), `array_value` (an array that compiled code makes)
- `scratch` (on the stack), `prefetch` (into a cache)
"""
