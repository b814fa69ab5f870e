"""Optimisers that tune their own rate by back-propagation, to any height, in torch.

After Chandra et al. 2022, "Gradient Descent: The Ultimate Optimizer" (arXiv:1909.13371): a step
``w' = w - a u(g)`` is left attached to its rate ``a``, so the gradient of the *next* loss reaches
``a`` through ``w'``; an optimiser of its own steps ``a`` before ``a`` is used again. The rate of
that one is stepped by a third, and so on: two rates are a tower of height 1. Only the last step
stays attached, so a level costs one scalar's step and a product of gradients, however long the run.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Tensors = Mapping[str, Tensor]
BETAS, EPSILON = (0.9, 0.999), 1e-8
RATE = "rate"


class Level(ABC):
    """One optimiser of the tower: it steps tensors by their gradients, and owns a rate."""

    def __init__(self, rate: float, above: "Level | None") -> None:
        """``above`` steps this one's rate; ``None``: it stays."""
        self.rate = torch.tensor(rate, dtype=torch.float64, requires_grad=above is not None)
        self.above = above

    def step(self, tensors: Tensors) -> dict[str, Tensor]:
        """Step each tensor by its ``grad``, after the level above stepped the rate.

        Returns leaves of the same names whose value hangs on this level's rate. Where there is no
        gradient of the rate yet, at the first step, the rate waits.
        """
        if self.above is not None and self.rate.grad is not None:
            self.rate = self.above.step({RATE: self.rate})[RATE]
        gradients = {name: _gradient(each) for name, each in tensors.items()}
        moves = self._moves(gradients)
        return {
            name: _retained(each.detach() - (self.rate * moves[name]).to(each.dtype))
            for name, each in tensors.items()
        }

    @abstractmethod
    def _moves(self, gradients: Tensors) -> Tensors:
        """The direction of each step, of which the rate is the length; detached."""


class Sgd(Level):
    """``u(g) = g``."""

    def _moves(self, gradients: Tensors) -> Tensors:
        return gradients


class Adam(Level):
    """``u`` of Kingma & Ba 2015, algorithm 1."""

    def __init__(self, rate: float, above: Level | None) -> None:
        super().__init__(rate, above)
        self._first: dict[str, Tensor] = {}
        self._second: dict[str, Tensor] = {}
        self._steps = 0

    def _moves(self, gradients: Tensors) -> Tensors:
        self._steps += 1
        one, two = BETAS
        found = {}
        for name, each in gradients.items():
            first = one * self._first.get(name, torch.zeros_like(each)) + (1 - one) * each
            second = two * self._second.get(name, torch.zeros_like(each)) + (1 - two) * each**2
            self._first[name], self._second[name] = first, second
            spread = (second / (1 - two**self._steps)).sqrt() + EPSILON
            found[name] = first / (1 - one**self._steps) / spread
        return found


KINDS: Mapping[str, type[Level]] = {"sgd": Sgd, "adam": Adam}


def tower(kind: Literal["sgd", "adam"], rates: Sequence[float]) -> Level:
    """A tower of ``len(rates) - 1`` levels above the optimiser; ``rates`` from the ground up.

    Raises ``ValueError`` without rates, or with one that is not above 0.
    """
    if not rates or not all(each > 0 for each in rates):
        raise ValueError(f"rates are one or more numbers above 0, not {list(rates)}")
    above: Level | None = None
    for rate in reversed(rates):
        above = KINDS[kind](rate, above)
    assert above is not None  # noqa: S101
    return above


def descend(
    loss: Callable[[Tensors], Tensor], start: Tensors, optimiser: Level, steps: int
) -> tuple[float, float]:
    """Take ``steps`` steps on ``loss`` from ``start``; returns the last loss and the last rate."""
    now: Tensors = {n: each.detach().clone().requires_grad_() for n, each in start.items()}
    for _ in range(steps):
        torch.autograd.backward(loss(now))
        now = optimiser.step(now)
    return float(loss(now).detach()), float(optimiser.rate.detach())


def teacher_problem(
    rng: np.random.Generator, points: int = 256
) -> tuple[Callable[[Tensors], Tensor], dict[str, Tensor]]:
    """A loss and a start: a 20-64-5 tanh net in float32 that learns a linear teacher's classes.

    Cross-entropy over all points at once; weights are born uniform within ``1 / sqrt(inputs)``.
    """
    seen = torch.from_numpy(rng.standard_normal((points, 20))).float()
    classes = (seen @ torch.from_numpy(rng.standard_normal((20, 5))).float()).argmax(1)
    start: dict[str, Tensor] = {}
    for name, (outputs, inputs) in {"inner": (64, 20), "outer": (5, 64)}.items():
        most = inputs**-0.5
        start[f"{name}.weight"] = torch.from_numpy(rng.uniform(-most, most, (outputs, inputs)))
        start[f"{name}.bias"] = torch.from_numpy(rng.uniform(-most, most, outputs))

    def loss(now: Tensors) -> Tensor:
        inner = torch.tanh(functional.linear(seen, now["inner.weight"], now["inner.bias"]))
        outer = functional.linear(inner, now["outer.weight"], now["outer.bias"])
        return functional.cross_entropy(outer, classes)

    return loss, {name: each.float() for name, each in start.items()}


def _gradient(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad.detach()


def _retained(tensor: Tensor) -> Tensor:
    """A tensor whose ``grad`` is kept, whether or not it hangs on a rate."""
    if not tensor.requires_grad:
        return tensor.requires_grad_()
    tensor.retain_grad()
    return tensor
