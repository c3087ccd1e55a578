"""The systems `moons` and `blobs`: points in the plane, and the borders that nets draw between their classes.

- `recipe`: settings, network and comparisons of both
- what they answer: `answers`, `borders` (what is measured of a border)
"""
