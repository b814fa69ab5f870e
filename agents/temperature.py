"""The temperature of soft actor-critic, tuned by gradient (Haarnoja et al. 2018b, eq. 18).

It lives in the mind, as buffer ``temperature/policy.head``: float32 ``[4]``, its logarithm, Adam's
first and second moment of it, and Adam's steps. So rewrites carry it, checkpoints hold it, and the
hash of the weights covers it. It is tuned by Adam (epsilon 1e-8) at the rule's learning rate,
whatever optimiser the towers have, as in SB3.
"""

import numpy as np
import torch
from torch import Tensor

from agents.arrays import Array

TEMPERATURE = "temperature/policy.head"
_DECAYS = (0.9, 0.999)


def first_temperature() -> dict[str, Array]:
    """A temperature of 1 that was never tuned."""
    return {TEMPERATURE: np.zeros(4, np.float32)}


def temperature_of(kept: Tensor) -> Tensor:
    """The temperature, a scalar without a gradient."""
    return kept[0].exp()


def tune_temperature(
    kept: Tensor, log_probability: Tensor, target_entropy: float, rate: float
) -> None:
    """One Adam step, in place, on ``-log_temperature (log pi + target entropy)``, its mean."""
    log, first, second, step = kept.double()
    slope = -(log_probability.double() + target_entropy)
    step = step + 1
    first = _DECAYS[0] * first + (1 - _DECAYS[0]) * slope
    second = _DECAYS[1] * second + (1 - _DECAYS[1]) * slope**2
    spread = (second / (1 - _DECAYS[1] ** step)).sqrt() + 1e-8
    log = log - rate * first / (1 - _DECAYS[0] ** step) / spread
    kept.copy_(torch.stack([log, first, second, step]))
