"""Reference of the gradient of a convolution's input by windows that are added up, one tap at a time."""

from fastnn_kernels.reference.conv import _image, _taps

__all__ = ["conv2d_col2im_backward_x"]


def conv2d_col2im_backward_x(dx, dout, lines, geometry):
    """dx[b, r·SH − top + kh, c·SW − left + kw, c_in] = Σ dout[b, r, c, c_out] · w[kh, kw, c_in, c_out]

    lines : what `filter_lines` makes of w
    """
    H, W, C, KH, KW, *_, H_out, W_out, n = geometry.tolist()
    dout, dx[:, : H * W * C] = _image(dout, H_out, W_out, n), 0
    taps = lines[:, : KW * C].reshape(KH, n, KW, C).transpose(0, 2, 1, 3).reshape(KH * KW, n, C)
    for tap, (_, outputs, inputs) in zip(taps, _taps(geometry), strict=True):
        _image(dx, H, W, C)[inputs] += dout[outputs] @ tap
