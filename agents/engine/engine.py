"""The engine of one agent: its torch parameters and optimiser state are views of flat vectors.

Stable-Baselines3, probes and edits read and write the same memory. Where other tensors were put in
their place, the engine copies these in before it learns.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from agents.arrays import Array
from agents.engine.flat import FlatVectors, address, single
from agents.engine.losses import Evaluated
from agents.engine.optimisers import FlatOptimiser, Rates
from agents.engine.towers import TowerPass
from agents.genome import Architecture
from agents.network.bundle import GUARDED, Towers, moment_names
from agents.network.gradient_step import Stepper
from agents.network.towers import use_of_units

_PASSES_KEPT = 8
_ROWS_AT_ONCE = 1024
_DOT_LENGTH = 8192  # BLAS shares longer dot products among its threads, in another order

Head = Callable[[Sequence[Array]], Evaluated]
"""Outputs of the towers that learn -> the loss."""


class Engine:
    """Runs the towers of ``networks`` and trains those named in ``towers``.

    ``architecture``: of all towers; every kind of layer in it has a pass in NumPy.
    """

    def __init__(
        self,
        networks: Towers,
        optimizer: torch.optim.Optimizer,
        architecture: Architecture,
        towers: Sequence[str],
    ) -> None:
        self.networks, self.architecture = networks, architecture
        self.bind(optimizer, towers)

    # --- memory --------------------------------------------------------------------------------

    def bind(self, optimizer: torch.optim.Optimizer, towers: Sequence[str]) -> None:
        """Lay out the parameters of these towers anew and make torch's tensors views of them."""
        self.optimizer, self.towers = optimizer, tuple(towers)
        live = dict(self.networks.named_parameters())
        self._parameters = {n: p for n, p in live.items() if n.split(".", 1)[0] in self.towers}
        shapes = {name: tuple(p.shape) for name, p in self._parameters.items()}
        self.vectors = vectors = FlatVectors(self.towers, shapes)
        for name, p in self._parameters.items():
            p.data = _moved(p.detach(), vectors.view(vectors.weights, name))
        self._arrays = {name: p.detach().numpy() for name, p in live.items()}
        self._masks = {
            f"{name.removesuffix('mask')}weight": mask.numpy()
            for name, mask in self.networks.named_buffers()
        }
        self._bind_state(_state(optimizer))
        self._optimiser = FlatOptimiser(vectors)
        self.weights = vectors.parameters(vectors.weights, self._masks)
        self._pieces = pieces(vectors.gradient)
        self._gradient_tensors = {
            name: torch.from_numpy(vectors.view(vectors.gradient, name)) for name in vectors.names
        }
        self._gradients = vectors.parameters(vectors.gradient, {})
        self._passes: dict[tuple[str, int], TowerPass] = {}

    def _bind_state(self, state: Mapping[Any, Any]) -> None:
        """Make the optimiser's state views of the moments."""
        for name in self.vectors.names:
            found = state.get(self._parameters[name], {})
            for key, vector in self._moments():
                if found.get(key) is not None:
                    found[key] = _moved(found[key], self.vectors.view(vector, name))

    def _counts(self, state: Mapping[Any, Any]) -> Array:
        """Steps that each parameter has had, in flat order."""
        states = (state.get(self._parameters[name], {}) for name in self.vectors.names)
        return np.array([float(found.get("step", 0.0)) for found in states])

    def _moments(self) -> list[tuple[str, Array]]:
        """The optimiser's names of its moments, and the vectors that hold them."""
        vectors = {"first": self.vectors.first, "second": self.vectors.second}
        return [(key, vectors[which]) for which, key in moment_names(self.optimizer).items()]

    def _in_use(self, optimizer: torch.optim.Optimizer, towers: Sequence[str]) -> bool:
        """Are torch's tensors still the views that the last ``bind`` made?"""
        if optimizer is not self.optimizer or tuple(towers) != self.towers:
            return False
        state, moments = _state(optimizer), self._moments()
        for name, p in self._parameters.items():
            found, at = state.get(p, {}), self.vectors.start(name)
            pairs = [(p, self.vectors.weights)]
            pairs += [(found[key], v) for key, v in moments if found.get(key) is not None]
            if any(each.data_ptr() != address(vector) + at for each, vector in pairs):
                return False
            if moments and not found and self._optimiser.counts.any():
                return False  # the optimiser's state was cleared
        head = f"{self.towers[0]}.head.weight"
        return self.networks.get_parameter(head) is self._parameters[head]

    def refresh(self, optimizer: torch.optim.Optimizer, towers: Sequence[str]) -> None:
        """Bind anew if other tensors were put in place of the views, or others learn now."""
        if not self._in_use(optimizer, towers):
            self.bind(optimizer, towers)

    @contextmanager
    def learning(self, optimizer: torch.optim.Optimizer, towers: Sequence[str]) -> Iterator[None]:
        """While this is open, ``step`` may be called; after it the optimiser's counts are right."""
        self.refresh(optimizer, towers)
        group = optimizer.param_groups[0]
        self._rates = Rates(
            kind=type(optimizer).__name__.lower(),
            learning_rate=float(group["lr"]),
            weight_decay=float(group["weight_decay"]),
            momentum=float(group.get("momentum", 0.0)),
            epsilon=float(group.get("eps", 0.0)),
        )
        state = _state(optimizer)
        before = self._counts(state)
        self._optimiser.begin(before)
        new = [name for name in self.vectors.names if not state.get(self._parameters[name])]
        for name in self.vectors.names:
            self._attach(state.setdefault(self._parameters[name], {}), name)
        try:
            with np.errstate(all="ignore"):  # checked in ``step`` and ``finite``
                yield
        finally:
            self._count(state, before, new)

    def _attach(self, found: dict[str, Any], name: str) -> None:
        """Give a parameter that was never stepped its part of the moments."""
        for key, vector in self._moments():
            if found.get(key) is None:
                found[key] = torch.from_numpy(self.vectors.view(vector, name))
        if self._rates.kind != "sgd" and "step" not in found:
            found["step"] = torch.tensor(0.0)

    def _count(
        self, state: dict[nn.Parameter, dict[str, Any]], before: Array, new: Sequence[str]
    ) -> None:
        """Write the counts into the state; ``new``: had none. Those of SGD are never written."""
        stepped = bool((self._optimiser.counts > before).all())
        for name, count in zip(self.vectors.names, self._optimiser.counts.tolist(), strict=True):
            p = self._parameters[name]
            if not stepped and name in new:
                del state[p]  # torch's optimisers have no state before the first step
            elif "step" in state[p]:
                state[p]["step"].fill_(count)

    # --- passes --------------------------------------------------------------------------------

    def outputs(self, tower: str, inputs: Array) -> Array:
        """Outputs of one tower, float32 ``[n, outputs]``, for float32 ``[n, inputs]``."""
        if len(inputs) <= _ROWS_AT_ONCE:
            with np.errstate(all="ignore"):  # as torch: what overflows shows in the result
                (found,) = self.single(tower, inputs).forward(inputs)
            return np.ascontiguousarray(found.T)
        parts = [
            self.outputs(tower, inputs[at : at + _ROWS_AT_ONCE])
            for at in range(0, len(inputs), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts)

    def unit_use(self, tower: str, inputs: Array) -> dict[str, tuple[Any, ...]]:
        """``dormancy`` and ``unit_scores``; see ``agents.network.towers.Tower.unit_use``."""
        run = self.single(tower, inputs)
        run.forward(inputs)
        return use_of_units([_mean_size(each.hidden[0]) for each in run.layers])

    def pass_of(self, inputs: Array) -> TowerPass:
        """Forward and backward pass of the towers that learn, for as many rows."""
        return self._kept("", inputs)

    def single(self, tower: str, inputs: Array) -> TowerPass:
        """Forward pass of one tower, for as many rows; its arrays are used again."""
        return self._kept(tower, inputs)

    def _kept(self, tower: str, inputs: Array) -> TowerPass:
        """A pass made before for as many rows, or a new one; the least recently made one goes."""
        key = tower, len(inputs)
        found = self._passes.get(key)
        if found is None:
            if len(self._passes) >= _PASSES_KEPT:
                self._passes.pop(next(iter(self._passes)))
            weights = single(tower, self._arrays, self._masks) if tower else self.weights
            guarded = [each in GUARDED for each in ((tower,) if tower else self.towers)]
            sizes = len(inputs), inputs.shape[1]
            gradients = None if tower else self._gradients
            found = TowerPass(self.architecture, guarded, weights, gradients, sizes)
            self._passes[key] = found
        return found

    # --- one step ------------------------------------------------------------------------------

    def step(self, stepper: Stepper, inputs: Array, head: Head) -> tuple[tuple[float, ...], float]:
        """Do one step on ``[n, inputs]``; return the report and the norm before clipping.

        Raises ``FloatingPointError`` before a step that would make the weights non-finite.
        """
        rule, vectors = stepper.rule, self.vectors
        value, row = self._differentiate(inputs, head)
        if rule.sam_radius:
            self._sharpen(stepper, inputs, head)
        if stepper.pulls:
            stepper.pull(self.networks, self._gradient_tensors)
        norm = length(self._pieces)
        if not math.isfinite(norm + value):
            raise FloatingPointError(f"non-finite loss ({value:g}) or gradient norm ({norm:g})")
        scale = rule.max_grad_norm / (norm + 1e-6)
        if scale < 1:
            np.multiply(vectors.gradient, np.float32(scale), out=vectors.gradient)
        self._optimiser.step(self._rates)
        if self._masks:
            self._cut()
        if rule.replacement_rate:
            read = torch.from_numpy(inputs)
            stepper.replace(self.networks, self.optimizer, dict.fromkeys(self.towers, read))
        return row, norm

    def _differentiate(self, inputs: Array, head: Head) -> tuple[float, tuple[float, ...]]:
        """Fill the gradient; return the loss and its report."""
        run = self.pass_of(inputs)
        value, row, slopes = head(run.forward(inputs))
        run.backward(slopes)
        return value, row

    def _sharpen(self, stepper: Stepper, inputs: Array, head: Head) -> None:
        """Mix in the gradient at ``w + rho g / |g|`` (Foret et al. 2021; Zhao et al. 2022)."""
        rule, vectors = stepper.rule, self.vectors
        plain, saved = vectors.gradient.copy(), vectors.weights.copy()
        scale = rule.sam_radius / (length(self._pieces) + 1e-12)
        vectors.weights += np.float32(scale) * plain
        self._differentiate(inputs, head)
        vectors.weights[:] = saved
        vectors.gradient *= np.float32(rule.sam_mix)
        vectors.gradient += np.float32(1 - rule.sam_mix) * plain

    def _cut(self) -> None:
        """Set weights without an edge to 0: momentum moves them without a gradient."""
        for layer in self.weights.layers:
            if "mask" in layer:
                np.multiply(layer["weight"], layer["mask"], out=layer["weight"])

    def finite(self) -> bool:
        """Are all weights that learn finite?"""
        return bool(np.isfinite(self.vectors.weights).all())


def pieces(vector: Array) -> list[Array]:
    """Cut a vector where BLAS would share a dot product among its threads."""
    return [vector[at : at + _DOT_LENGTH] for at in range(0, len(vector), _DOT_LENGTH)]


def length(parts: Sequence[Array]) -> float:
    """Euclidean length of a vector in pieces, the same for any number of threads."""
    return math.sqrt(sum([float(np.dot(each, each)) for each in parts]))


def _moved(value: torch.Tensor, place: Array) -> torch.Tensor:
    """Copy a tensor into ``place`` and return a tensor that is a view of it."""
    place[...] = value.numpy()
    return torch.from_numpy(place)


def _state(optimizer: torch.optim.Optimizer) -> dict[nn.Parameter, dict[str, Any]]:
    found: dict[nn.Parameter, dict[str, Any]] = optimizer.state  # type: ignore[assignment]
    return found


def _mean_size(units: Array) -> Array:
    found: Array = np.abs(units).mean(0) if len(units) else np.ones(units.shape[1], np.float32)
    return found
