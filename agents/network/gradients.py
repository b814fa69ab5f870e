"""A learner's last rollout and the loss on it: gradients and activations for growing edits."""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from agents.arrays import Array
from agents.contract import Look, OptimiserMoment
from agents.network.bundle import EPSILON, Towers, read_moments
from agents.network.towers import Record

MOST = 1024
"""Most steps of a rollout that are evaluated."""


class LossLook(Look):
    """Computes everything at the first call, with the weights that the networks have then.

    ``loss`` runs the towers on the recorded steps and returns the mean loss.
    """

    def __init__(
        self,
        networks: Towers,
        optimizer: torch.optim.Optimizer,
        observations: Array,
        loss: Callable[[], Tensor],
    ) -> None:
        self._networks, self._optimizer, self._loss = networks, optimizer, loss
        self.observations = observations

    def gradients(self) -> Mapping[str, Array]:
        """See ``Look``."""
        return self._seen[0]

    def inputs(self, tower: str, layer: int) -> Array:
        """See ``Look``."""
        return _array(self._seen[1][tower].inputs[layer])

    def activations(self, tower: str, layer: int) -> Array:
        """See ``Look``."""
        return _array(self._seen[1][tower].hidden[layer])

    def backward(self, tower: str, layer: int) -> Array:
        """See ``Look``. ``LookupError`` for kinds with none or several pre-activations."""
        (found,) = self._seen[2][tower][layer] or (None,)
        if found is None:
            raise LookupError(f"layer {layer} has no pre-activation of its own")
        return _array(found)

    def step_length(self, optimiser: str) -> float:
        """See ``Look``; of the state that an edit to that optimiser would carry over."""
        return gradient_step_length(optimiser, self.gradients(), self._networks, self._optimizer)

    @cached_property
    def _seen(
        self,
    ) -> tuple[dict[str, Array], dict[str, Record], dict[str, list[list[Tensor | None]]]]:
        networks = self._networks
        records = {tower: Record() for tower in networks.towers}
        masks = _lift_masks(networks)
        try:
            for tower, record in records.items():
                networks.tower(tower).record = record
            loss = self._loss()
        finally:
            for tower in networks.towers:
                networks.tower(tower).record = None
        trained = dict(networks.trained())
        before = [
            z
            for each in records.values()
            for group in each.before
            for z in group
            if z.requires_grad  # a target's pass has no gradient
        ]
        found = torch.autograd.grad(loss, [*trained.values(), *before], allow_unused=True)
        _restore_masks(masks)
        slopes = iter(found[len(trained) :])
        gradients = {
            name: _array(torch.zeros_like(each) if slope is None else slope)
            for (name, each), slope in zip(trained.items(), found, strict=False)
        }
        backward: dict[str, list[list[Tensor | None]]] = {
            tower: [
                [next(slopes) if z.requires_grad else None for z in group]
                for group in record.before
            ]
            for tower, record in records.items()
        }
        return gradients, records, backward


def gradient_step_length(
    optimiser: str,
    gradients: Mapping[str, Array],
    networks: Towers,
    optimizer: torch.optim.Optimizer,
) -> float:
    """Length of the step along these gradients at learning rate 1, with the live moments."""
    moments, total = read_moments(networks, optimizer), 0.0
    for name, gradient in gradients.items():
        step = _step(optimiser, gradient, moments.get(name))
        total += float(np.square(step, dtype=np.float64).sum())
    return float(np.sqrt(total))


def _step(optimiser: str, gradient: Array, moment: OptimiserMoment | None) -> Array:
    """The step at learning rate 1 without momentum beyond Adam's; torch's default constants."""
    if optimiser == "sgd":
        return gradient
    first = np.zeros_like(gradient) if moment is None else moment.first
    second = np.zeros_like(gradient) if moment is None else moment.second
    if optimiser == "rmsprop":
        return gradient / (np.sqrt(0.99 * second + 0.01 * gradient**2) + EPSILON)
    count = 1.0 + (0.0 if moment is None else moment.step)
    first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
    first, second = first / (1 - 0.9**count), second / (1 - 0.999**count)
    found: Array = first / (np.sqrt(second) + EPSILON)
    return found


def _lift_masks(networks: Towers) -> list[tuple[Tensor, Tensor]]:
    """Open all masks over weights that are 0 there: the same function, every edge's gradient."""
    kept = [(mask, mask.clone()) for _, mask in networks.named_buffers()]
    for mask, _ in kept:
        mask.fill_(1.0)
    return kept


def _restore_masks(kept: list[tuple[Tensor, Tensor]]) -> None:
    for mask, was in kept:
        mask.copy_(was)


def _array(value: Tensor | nn.Parameter) -> Array:
    found: Array = value.detach().numpy().copy()
    return found
