"""One gradient step, the same for every learner: sharpness, clipping, the step, and its hooks.

SB3 steps on a non-finite gradient, which destroys the weights; here that is an error before the
step.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from agents.arrays import Array
from agents.genome import LearningRule
from agents.network.bundle import Towers
from agents.network.continual_backprop import UnitReplacement

Row = tuple[Tensor, ...]
Loss = Callable[[], tuple[Tensor, Row]]
"""Computes the loss of one minibatch and what is to be reported of it."""


class Stepper:
    """Keeps the rule in force and the random stream of replaced units; no other state."""

    def __init__(self, rule: LearningRule, rng: np.random.Generator) -> None:
        self.rng = rng
        self.adopt(rule)

    def adopt(self, rule: LearningRule) -> None:
        """Step by this rule from now on."""
        self.rule = rule
        self._replacing = None
        if rule.replacement_rate:
            self._replacing = UnitReplacement(rule, self.rng)

    def step(
        self,
        networks: Towers,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        inputs: Mapping[str, Tensor],
    ) -> tuple[Row, Tensor]:
        """Do one step; return the report of ``loss`` and the gradient's norm before clipping.

        ``inputs``: tower -> what it read, ``[n, inputs]``, for hooks that look at activations.
        Raises ``FloatingPointError`` before a step that would make the weights non-finite.
        """
        trained = [each for group in optimizer.param_groups for each in group["params"]]
        optimizer.zero_grad()
        value, row = loss()
        torch.autograd.backward(value)
        if self.rule.sam_radius:
            self._sharpen(trained, loss)
        if self.pulls:
            named = {name: each.grad for name, each in networks.trained()}
            self.pull(networks, {name: g for name, g in named.items() if g is not None})
        norm = torch.nn.utils.clip_grad_norm_(trained, self.rule.max_grad_norm)
        if not torch.isfinite(norm + value.detach()):
            raise FloatingPointError(
                f"non-finite loss ({value.item():g}) or gradient norm ({norm.item():g})"
            )
        optimizer.step()
        self._after(networks, optimizer, inputs)
        return row, norm

    def _sharpen(self, trained: list[nn.Parameter], loss: Loss) -> None:
        """Mix in the gradient at ``w + rho g / |g|`` (Foret et al. 2021; Zhao et al. 2022)."""
        rule, moved = self.rule, [each for each in trained if each.grad is not None]
        plain = [_gradient(each).clone() for each in moved]
        saved = [each.detach().clone() for each in moved]
        length = torch.sqrt(torch.stack([each.square().sum() for each in plain]).sum())
        scale = rule.sam_radius / (length + 1e-12)
        with torch.no_grad():
            for each, gradient in zip(moved, plain, strict=True):
                each.add_(scale * gradient)
        for each in trained:
            each.grad = None
        value, _ = loss()
        torch.autograd.backward(value)
        with torch.no_grad():
            for each, gradient, was in zip(moved, plain, saved, strict=True):
                each.copy_(was)
                sharp = _gradient(each)
                each.grad = (1 - rule.sam_mix) * gradient + rule.sam_mix * sharp

    @property
    def pulls(self) -> bool:
        """Does the rule in force pull weights back to their first values?"""
        return bool(self.rule.pull_to_birth)

    @torch.no_grad()
    def pull(self, networks: Towers, gradients: Mapping[str, Tensor]) -> None:
        """Add to ``gradients`` that of ``pull |w - w0|^2``; ``w0``: weights when the pull began."""
        for name, each in networks.trained():
            initial = networks.kept.setdefault(f"birth/{name}", each.detach().clone())
            if name in gradients:
                gradients[name].add_(2 * self.rule.pull_to_birth * (each - initial))

    def _after(
        self, networks: Towers, optimizer: torch.optim.Optimizer, inputs: Mapping[str, Tensor]
    ) -> None:
        with torch.no_grad():
            for name, mask in networks.named_buffers():  # momentum moves weights without a gradient
                networks.get_parameter(f"{name.removesuffix('mask')}weight").mul_(mask)
            if self._replacing is not None:
                self.replace(networks, optimizer, inputs)

    @torch.no_grad()
    def replace(
        self, networks: Towers, optimizer: torch.optim.Optimizer, inputs: Mapping[str, Tensor]
    ) -> None:
        """Let the rule's replacement of units do its step; it must have one."""
        if self._replacing is None:
            raise RuntimeError("the rule in force replaces no units")
        for tower, read in inputs.items():
            live = networks.tower(tower)
            self._replacing.after_step(
                tower, live, live.activations(read), optimizer, networks.kept
            )


def _gradient(parameter: nn.Parameter) -> Tensor:
    if parameter.grad is None:
        raise RuntimeError("a second pass lost a gradient that the first one had")
    return parameter.grad


def check_weights(networks: Towers) -> None:
    """Raise ``FloatingPointError`` naming the parameters that are not finite."""
    bad = [name for name, each in networks.named_parameters() if not bool(each.isfinite().all())]
    if bad:
        raise FloatingPointError(f"non-finite weights in {', '.join(bad)}")


def fitted(observations: Array, width: int) -> Array:
    """Observations as float32 ``[n, width]``.

    Rows that lack older observations get zeros for them, as at an episode's start; rows that have
    more than are read lose the oldest.
    """
    found: Array = np.asarray(observations, np.float32)
    if found.shape[1] < width:
        found = np.pad(found, ((0, 0), (0, width - found.shape[1])))
    return found[:, :width]


def as_input(observations: Array, width: int) -> Tensor:
    """Copy ``fitted`` observations into torch's own memory: the caller's may be read-only."""
    return torch.tensor(fitted(observations, width))
