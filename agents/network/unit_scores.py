"""How much each unit of a layer is used (ReDo, Sokar et al. 2023)."""

import numpy as np

from agents.arrays import Array

DORMANT = 0.025
"""Units with a normalised activation up to this are dormant."""


def unit_scores(mean_activation: Array) -> Array:
    """Return each unit's mean |activation| over the layer's mean (eq. 1); 0 if all are 0."""
    mean = mean_activation.mean()
    scores: Array = mean_activation / mean if mean > 0 else np.zeros_like(mean_activation)
    return scores
