"""Reference of max pooling, window by window."""

import numpy as np

__all__ = ["max_pool2d_backward", "max_pool2d_forward"]


def max_pool2d_forward(out, argmax, x, geometry):
    """out = the largest number in each window; argmax = its index in x[b], the first of equals (or of NaNs)"""
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, _ = geometry.tolist()
    indices = np.arange(H * W * C).reshape(H, W, C)
    for pixel in range(H_out * W_out):
        h, w = pixel // W_out * SH - top, pixel % W_out * SW - left
        window = indices[max(0, h) : h + KH, max(0, w) : w + KW].reshape(-1, C)
        values, own = x[:, window], slice(pixel * C, (pixel + 1) * C)
        argmax[:, own] = window[values.argmax(axis=1), np.arange(C)]  # NumPy too takes the first NaN or maximum
        out[:, own] = values.max(axis=1)


def max_pool2d_backward(dx, dout, argmax, n):
    """dx[b, argmax[b, j]] += dout[b, j], onto dx = 0"""
    dx[:] = 0
    np.add.at(dx, (np.arange(len(dx))[:, None], argmax[:, :n]), dout[:, :n])
