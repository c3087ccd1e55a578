"""Sixteen numbers at a time, as in a vector register.

- `lanes` (arithmetic), `memory` (reads and writes them)
- over rows: `sums`, `regression` (losses), `bits` (which numbers are not 0)
"""
