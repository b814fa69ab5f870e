"""Orthogonal initial weights (Saxe, McClelland & Ganguli 2014), from a given random stream."""

import numpy as np

from agents.arrays import Array

RELU_GAIN = 2.0**0.5
"""Keeps the scale of activations through ReLU (He et al. 2015); Stable-Baselines3 uses it too."""


def orthogonal(rng: np.random.Generator, rows: int, columns: int, gain: float = RELU_GAIN) -> Array:
    """Float64 ``[rows, columns]``; every row has length ``gain``.

    Rows are orthogonal in groups of ``columns``, the most that can be. The signs of R's diagonal
    are removed, which makes each group uniform over rotations (Mezzadri 2007).
    """
    groups = [np.zeros((0, columns))]
    for start in range(0, rows, columns):
        count = min(columns, rows - start)
        q, r = np.linalg.qr(rng.standard_normal((columns, count)))
        groups.append((q * np.where(np.diag(r) < 0, -1.0, 1.0)).T)
    return np.concatenate(groups) * gain


def drawing_flops(rows: int, columns: int) -> float:
    """FLOPs of ``orthogonal``: ``2 n k^2`` a group (Golub & Van Loan 2013, section 5.2)."""
    groups, rest = divmod(rows, columns)
    return 2.0 * columns * (groups * columns**2 + rest**2)
