"""References of the recurrent layers: the gated recurrent unit, and long short-term memory."""

import numpy as np

__all__ = ["gru_backward", "gru_forward", "lstm_backward", "lstm_forward"]


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


def lstm_forward(state, h, gates, cells, squashed, v, u, c, T, n):
    """i, f, o = sigmoid(a + v + c), g = tanh(a + v + c), cell' = f · cell + i · g, h' = o · tanh(cell'), v = h · u"""
    state[:, :n], cells[:, :n], v[:] = 0, 0, 0
    for t in range(T):
        if t:
            v[:] = state[:, :n] @ u
        a = _steps(gates, T, 4 * n)[:, t]
        a += v[:, : 4 * n] + c[: 4 * n]
        a[:, : 2 * n], a[:, 3 * n :] = _sigmoid(a[:, : 2 * n]), _sigmoid(a[:, 3 * n :])
        a[:, 2 * n : 3 * n] = np.tanh(a[:, 2 * n : 3 * n])
        i, f, g, o = np.split(a, 4, axis=1)
        before, cell = _steps(cells, T + 1, n)[:, t], _steps(cells, T + 1, n)[:, t + 1]
        cell[:] = f * before + i * g
        _steps(squashed, T, n)[:, t] = np.tanh(cell)
        state[:, :n] = _steps(h, T, n)[:, t] = o * np.tanh(cell)


def lstm_backward(da, dcell, dh, dout, gates, cells, squashed, ut, S, T, n):
    """Of the gates: do = dh · s · o(1 − o), where s = tanh(cell'), and dcell grows by dh · o(1 − s²);
    di = dcell · g · i(1 − i), df = dcell · cell · f(1 − f), dg = dcell · i(1 − g²); then the step before gets dcell · f
    and da · uᵀ"""
    dcell[:, :n], dh[:] = 0, 0
    for t in reversed(range(T)):
        if t < T - 1:
            dh[:] = _steps(da, T, 4 * n)[:, t + 1] @ ut
        if t >= T - S:
            dh[:, :n] += _steps(dout, S, n)[:, t - T + S]
        i, f, g, o = np.split(_steps(gates, T, 4 * n)[:, t], 4, axis=1)
        before, s = _steps(cells, T + 1, n)[:, t], _steps(squashed, T, n)[:, t]
        do = dh[:, :n] * s * o * (1 - o)
        dcell[:, :n] += dh[:, :n] * o * (1 - s**2)
        di = dcell[:, :n] * g * i * (1 - i)
        df = dcell[:, :n] * before * f * (1 - f)
        dg = dcell[:, :n] * i * (1 - g**2)
        _steps(da, T, 4 * n)[:, t] = np.concatenate([di, df, dg, do], axis=1)
        dcell[:, :n] *= f
