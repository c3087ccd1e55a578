"""Sixteen numbers at a time, as in a vector register.

- `lanes` (arithmetic), `choice` (the largest of several), `memory` (reads and writes them)
- over rows: `sums`, `regression` (losses), `bits` (which numbers are not 0)
- over pixels: `channels` (their parameters side by side), `batch_norm`
"""
