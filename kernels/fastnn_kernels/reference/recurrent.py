"""Reference of the gated recurrent unit."""

import numpy as np

__all__ = ["gru_backward", "gru_forward"]


def _sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2


def _steps(rows, T, n):
    """A view (B, T, n) of padded rows."""
    return rows[:, : T * n].reshape(len(rows), T, n)


def gru_forward(state, h, gates, inner, v, u, c, T, n):
    """r, z = sigmoid(a + v + c), inner = v_n + c_n, new = tanh(a_n + r · inner), h' = new + z · (h − new), v = h · u"""
    state[:, :n], v[:] = 0, 0
    for t in range(T):
        if t:
            v[:] = state[:, :n] @ u
        a, own = _steps(gates, T, 3 * n)[:, t], v[:, : 3 * n] + c[: 3 * n]
        a[:, : 2 * n] = _sigmoid(a[:, : 2 * n] + own[:, : 2 * n])
        _steps(inner, T, n)[:, t] = own[:, 2 * n :]
        r, z = a[:, :n], a[:, n : 2 * n]
        new = a[:, 2 * n :] = np.tanh(a[:, 2 * n :] + r * own[:, 2 * n :])
        state[:, :n] = new + z * (state[:, :n] - new)
        _steps(h, T, n)[:, t] = state[:, :n]


def gru_backward(da, dv, dh, through, dout, h, gates, inner, ut, S, T, n):
    """Of the gates: dz = dh · (h − new) · z(1 − z), dn = dh · (1 − z)(1 − new²), dr = dn · inner · r(1 − r); then the
    step before gets dh · z + dv · uᵀ"""
    dh[:, :n], through[:] = 0, 0
    for t in reversed(range(T)):
        dh[:, :n] += through[:, :n]
        if t >= T - S:
            dh[:, :n] += _steps(dout, S, n)[:, t - T + S]
        r, z, new = np.split(_steps(gates, T, 3 * n)[:, t], 3, axis=1)
        before = _steps(h, T, n)[:, t - 1] if t else np.zeros_like(r)
        dz = dh[:, :n] * (before - new) * z * (1 - z)
        dn = dh[:, :n] * (1 - z) * (1 - new**2)
        dr = dn * _steps(inner, T, n)[:, t] * r * (1 - r)
        _steps(da, T, 3 * n)[:, t] = np.concatenate([dr, dz, dn], axis=1)
        _steps(dv, T, 3 * n)[:, t] = np.concatenate([dr, dz, dn * r], axis=1)
        dh[:, :n] *= z
        if t:
            through[:] = _steps(dv, T, 3 * n)[:, t] @ ut
