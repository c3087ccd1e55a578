"""Matrix products, and those of windows of images.

- `product`, which calls a `block` of rows; in it `tile`s, whose sums stay in `registers`, and `packing`
- of windows: `window` (where they lie), `window_product`; with few channels `pixel_lanes`, `tap_lanes`
- without the zeros of one operand: `sparse`, `listed`
- `transpose`, `interleave`
"""
