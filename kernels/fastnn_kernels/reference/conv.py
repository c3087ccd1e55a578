"""Reference of the convolution of images, one tap of the window at a time. A tap outside the image adds nothing."""

__all__ = ["conv2d_backward_w", "conv2d_backward_x", "conv2d_forward", "flip_filters", "pad_images"]


def _image(rows, H, W, C):
    """A view (B, H, W, C) of padded rows."""
    return rows[:, : H * W * C].reshape(len(rows), H, W, C)


def _pairs(k, stride, before, extent, count):
    """For one tap along an axis: the slice of outputs that see it, and the slice of the image that they see."""
    seeing = [c for c in range(count) if 0 <= c * stride - before + k < extent]
    if not seeing:
        return slice(0), slice(0)
    first = seeing[0] * stride - before + k
    return slice(seeing[0], seeing[-1] + 1), slice(first, first + (len(seeing) - 1) * stride + 1, stride)


def _taps(geometry):
    """For each tap: the slice of its rows of w, the indices of its outputs, the indices of its inputs."""
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, _ = geometry.tolist()
    for kh in range(KH):
        for kw in range(KW):
            rows, image_rows = _pairs(kh, SH, top, H, H_out)
            columns, image_columns = _pairs(kw, SW, left, W, W_out)
            first = (kh * KW + kw) * C
            yield slice(first, first + C), (slice(None), rows, columns), (slice(None), image_rows, image_columns)


def conv2d_forward(out, x, w, geometry):
    """out[b, r, c] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · w[kh, kw, c_in]"""
    H, W, C, *_, H_out, W_out, n = geometry.tolist()
    x, out[:, : H_out * W_out * n] = _image(x, H, W, C), 0
    for own, outputs, inputs in _taps(geometry):
        _image(out, H_out, W_out, n)[outputs] += x[inputs] @ w[own, :n]


def conv2d_backward_x(dx, dout, filters, geometry):
    """dx[b, r·SH − top + kh, c·SW − left + kw, c_in] = Σ dout[b, r, c, c_out] · w[kh, kw, c_in, c_out]

    filters : what `flip_filters` makes of w
    """
    H, W, C, *_, H_out, W_out, n = geometry.tolist()
    dout, dx[:, : H * W * C] = _image(dout, H_out, W_out, n), 0
    for place, (_, outputs, inputs) in zip(_places(geometry), _taps(geometry), strict=True):
        _image(dx, H, W, C)[inputs] += dout[outputs] @ filters[place * n : (place + 1) * n, :C]


def conv2d_backward_w(dw, x, dout, geometry, offset=0):
    """dw[kh, kw, c_in, c_out] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · dout[b, r, c, c_out]

    dw holds the rows from number `offset` on.
    """
    H, W, C, *_, H_out, W_out, n = geometry.tolist()
    x, dout = _image(x, H, W, C), _image(dout, H_out, W_out, n)
    for own, outputs, inputs in _taps(geometry):
        sums = x[inputs].reshape(-1, C).T @ dout[outputs].reshape(-1, n)
        for row, total in zip(range(own.start - offset, own.stop - offset), sums, strict=True):
            if 0 <= row < len(dw):
                dw[row, :n] = total


def pad_images(out, x, geometry):
    """out = x, zeros around it, from row −top and column −left on"""
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, _ = geometry.tolist()
    tall, wide = (H_out - 1) * SH + KH, (W_out - 1) * SW + KW
    out[:, : tall * wide * C] = 0
    inside = _image(x, H, W, C)[:, : max(tall - top, 0), : max(wide - left, 0)]
    _image(out, tall, wide, C)[:, top : top + inside.shape[1], left : left + inside.shape[2]] = inside


def _places(geometry):
    """For each tap its place in flipped filters: phase by phase of the stride, the last tap of each first"""
    _, _, _, KH, KW, SH, SW, *_ = geometry.tolist()
    taps = [(kh, kw) for kh in range(KH) for kw in range(KW)]
    order = sorted(taps, key=lambda tap: (tap[0] % SH, tap[1] % SW, -tap[0], -tap[1]))
    return [order.index(tap) for tap in taps]


def flip_filters(out, w, geometry):
    """out[place of (kh, kw), c_out, c_in] = w[kh, kw, c_in, c_out]; with stride 1 the last tap comes first"""
    _, _, C, *_, n = geometry.tolist()
    for tap, place in enumerate(_places(geometry)):
        out[place * n : (place + 1) * n, :C] = w[tap * C : (tap + 1) * C, :n].T
