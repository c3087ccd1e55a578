"""Reference of the gradients of a convolution by lists of the numbers that are not 0, one listed number at a time."""

import numpy as np

from fastnn_kernels.reference.conv import conv2d_backward_w, conv2d_forward

__all__ = ["conv2d_sparse_backward_w", "conv2d_sparse_backward_x", "filter_lines", "list_channels", "list_pixels"]


def _list(values, places, starts, groups, most):
    """List of one sample the numbers that are not 0, group by group; starts[0] = −1 if there are too many.

    groups : for each group its numbers, and the place of each
    """
    found = [(numbers[numbers != 0], own[numbers != 0]) for numbers, own in groups]
    starts[0], ends = -1, np.cumsum([len(numbers) for numbers, _ in found])
    if ends[-1] <= most:
        values[: ends[-1] + 1] = np.concatenate([*(numbers for numbers, _ in found), [0]])
        places[: ends[-1] + 1] = np.concatenate([*(own for _, own in found), [0]])
        starts[:] = [0, *ends]


def list_channels(values, places, starts, dout, w, n, step, most):
    """For each pixel its channels that are not 0, if w is finite; starts[b, 0] = −1 where there are too many"""
    pixels, own = starts.shape[1] - 1, np.arange(n) * step
    for b, row in enumerate(dout[:, : pixels * n].reshape(-1, pixels, n)):
        _list(values[b], places[b], starts[b], [(pixel, own) for pixel in row], most if np.isfinite(w).all() else -1)


def list_pixels(values, places, starts, dout, x, geometry, most):
    """For each band of lines and channel its pixels that are not 0, if x[b] is finite and needs no padding

    Else, and where there are too many, starts[b, 0] = −1.
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = geometry.tolist()
    bands = (starts.shape[1] - 1) // n
    inside = top == left == 0 and (H_out - 1) * SH + KH <= H and (W_out - 1) * SW + KW <= W
    own = np.arange(H_out)[:, None] * SH * W * C + np.arange(W_out) * SW * C
    lines = [slice(band * H_out // bands, (band + 1) * H_out // bands) for band in range(bands)]
    for b, row in enumerate(dout[:, : H_out * W_out * n].reshape(-1, H_out, W_out, n)):
        groups = [(row[some, :, k].ravel(), own[some].ravel()) for some in lines for k in range(n)]
        finite = np.isfinite(x[b, : H * W * C]).all()
        _list(values[b], places[b], starts[b], groups, most if inside and finite else -1)


def filter_lines(out, w, geometry):
    """out[kh, c_out, kw, c_in] = w[kh, kw, c_in, c_out]"""
    _, _, C, KH, KW, *_, n = geometry.tolist()
    out[:, : KW * C] = w[:, :n].reshape(KH, KW * C, n).transpose(0, 2, 1).reshape(KH * n, KW * C)


def _listed(values, places, starts):
    """(group, value, place) of each listed number of a sample."""
    for g in range(len(starts) - 1):
        for i in range(starts[g], starts[g + 1]):
            yield g, values[i], places[i]


def conv2d_sparse_backward_x(dx, values, places, starts, lines, padded, filters, geometry, reverse):
    """dx[b, r·SH − top + kh, c·SW − left + kw, c_in] = Σ dout[b, r, c, c_out] · w[kh, kw, c_in, c_out], over the list

    Of a sample that is not listed: the forward convolution of `padded` by `filters`.
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, _ = geometry.tolist()
    for b in range(len(dx)):
        if starts[b, 0] < 0:
            conv2d_forward(dx[b : b + 1], padded[b : b + 1], filters, reverse)
            continue
        image = np.zeros((H + 2 * KH + H_out * SH, W + 2 * KW + W_out * SW, C), dx.dtype)  # room for the padding
        for g, value, place in _listed(values[b], places[b], starts[b]):
            r, c = divmod(g, W_out)
            own = lines.reshape(KH, -1)[:, place : place + KW * C].reshape(KH, KW, C)
            image[r * SH : r * SH + KH, c * SW : c * SW + KW] += value * own
        dx[b, : H * W * C] = image[top : top + H, left : left + W].ravel()


def conv2d_sparse_backward_w(dw, x, dout, values, places, starts, geometry, offset=0):
    """dw[kh, kw, c_in, c_out] = Σ x[b, r·SH + kh, c·SW + kw, c_in] · dout[b, r, c, c_out], over the lists

    If a sample is not listed: over dout.
    """
    _, W, C, KH, KW, *_, n = geometry.tolist()
    if (starts[:, 0] < 0).any():
        conv2d_backward_w(dw, x, dout, geometry, offset)
        return
    total = np.zeros((KH, KW * C, n), dw.dtype)
    for b in range(len(x)):
        for g, value, place in _listed(values[b], places[b], starts[b]):
            for kh in range(KH):
                begin = place + kh * W * C
                total[kh, :, g % n] += value * x[b, begin : begin + KW * C]
    dw[:, :n] = total.reshape(-1, n)[offset : offset + len(dw)]
