"""Reference of average pooling, window by window; taps outside the image are not counted."""

import numpy as np

__all__ = ["average_pool2d_backward", "average_pool2d_forward", "mean_backward", "mean_forward"]


def _windows(geometry):
    """For each window the columns of its output, and those of its inputs, (taps inside the image, C)."""
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, _ = geometry.tolist()
    indices = np.arange(H * W * C).reshape(H, W, C)
    for pixel in range(H_out * W_out):
        h, w = pixel // W_out * SH - top, pixel % W_out * SW - left
        window = indices[max(0, h) : h + KH, max(0, w) : w + KW].reshape(-1, C)
        yield slice(pixel * C, (pixel + 1) * C), window


def average_pool2d_forward(out, x, geometry):
    """out = the mean of each window"""
    for own, window in _windows(geometry):
        out[:, own] = x[:, window].mean(axis=1)


def average_pool2d_backward(dx, dout, geometry):
    """dx += dout / taps at every tap of each window, onto dx = 0"""
    dx[:, : geometry[:3].prod()] = 0
    for own, window in _windows(geometry):
        dx[:, window] += dout[:, None, own] / len(window)


def mean_forward(out, x, P, C):
    """out[b, :C] = the mean of x[b, p·C : (p+1)·C] over p"""
    out[:, :C] = x[:, : P * C].reshape(len(x), P, C).mean(axis=1)


def mean_backward(dx, dout, P, C):
    """dx[b, p·C : (p+1)·C] = dout[b, :C] / P"""
    dx[:, : P * C] = np.tile(dout[:, :C] / P, P)
