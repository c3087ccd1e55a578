"""Reference of convolutions with few output channels: that of all convolutions."""

from fastnn_kernels.reference.conv import conv2d_backward_w, conv2d_forward

__all__ = ["conv2d_few_backward_w", "conv2d_few_forward"]


def conv2d_few_forward(out, x, w, geometry):
    """out[b, r, c] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · w[kh, kw, c_in]"""
    conv2d_forward(out, x, w, geometry)


def conv2d_few_backward_w(dw, x, dout, geometry, offset=0):
    """dw[kh, kw, c_in, c_out] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · dout[b, r, c, c_out]"""
    conv2d_backward_w(dw, x, dout, geometry, offset)
