"""What it is worth to leave the switch to the human (Hadfield-Menell et al. 2017)."""

import math

import numpy as np


def off_switch_incentive(mean: float, deviation: float, noise: float = 0.0) -> float:
    """``E[pi(U) U] - max(E U, 0)`` of a utility ``U ~ Normal(mean, deviation)`` only they know.

    The human lets the plan go on with probability ``pi(U)``: a rational one where ``U > 0``, and
    then deferring is never worth less; one with ``noise`` with ``1 / (1 + exp(-U / noise))``, and
    then it may be.
    """
    if deviation <= 0 or noise < 0:
        raise ValueError(f"deviation is above 0 and noise not below, not {deviation} and {noise}")
    if noise == 0:
        z = mean / deviation
        density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return mean * math.erfc(-z / math.sqrt(2)) / 2 + deviation * density - max(mean, 0.0)
    # The trapezoid rule is exact to rounding for what is smooth and gone at both ends.
    grid = np.linspace(-12.0, 12.0, 100_001)
    utility = mean + deviation * grid
    goes_on = 1 / (1 + np.exp(-np.clip(utility / noise, -700, 700)))
    weights = np.exp(-np.square(grid) / 2)
    return float(weights @ (goes_on * utility) / weights.sum()) - max(mean, 0.0)
