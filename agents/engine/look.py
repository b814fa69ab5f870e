"""A learner's last rollout and the loss on it, from the engine's passes."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from agents.arrays import Array
from agents.contract import Look
from agents.engine.engine import Engine, Head
from agents.engine.flat import FlatVectors
from agents.engine.losses import Evaluated
from agents.engine.towers import TowerPass
from agents.network.bundle import GUARDED
from agents.network.gradients import gradient_step_length


class EngineLook(Look):
    """Computes everything at the first call, with the weights that the networks have then.

    ``head``: outputs of the ``towers`` -> the loss on these inputs and its slopes. ``followers``:
    targets, and what they read. Masks are left out, so that an edge that is not there has a
    gradient as well.
    """

    def __init__(
        self,
        engine: Engine,
        towers: tuple[str, ...],
        inputs: Array,
        head: Head,
        followers: Mapping[str, Array] | None = None,
    ) -> None:
        self._engine, self._head, self._followers = engine, head, followers or {}
        self._towers, self.observations = towers, inputs

    def gradients(self) -> Mapping[str, Array]:
        """See ``Look``."""
        return self._seen[0]

    def inputs(self, tower: str, layer: int) -> Array:
        """See ``Look``."""
        run, k = self._run(tower)
        if layer == len(run.layers):
            return np.array(run.entering(k))  # a follower's pass is used again
        return _of(run.layers[layer].read, k)

    def activations(self, tower: str, layer: int) -> Array:
        """See ``Look``."""
        run, k = self._run(tower)
        return _of(run.layers[layer].hidden, k)

    def backward(self, tower: str, layer: int) -> Array:
        """See ``Look``. ``LookupError`` for kinds with none or several pre-activations."""
        if tower in self._followers:
            raise LookupError(f"{tower} follows another tower: it has no gradient")
        run, k = self._run(tower)
        if layer == len(run.layers):
            return np.ascontiguousarray(run.slopes[k].T)
        if not run.layers[layer].slope_of:
            raise LookupError(f"layer {layer} has no pre-activation of its own")
        return _of(run.layers[layer].before, k)

    def step_length(self, optimiser: str) -> float:
        """See ``Look``; of the state that an edit to that optimiser would carry over."""
        engine = self._engine
        return gradient_step_length(optimiser, self.gradients(), engine.networks, engine.optimizer)

    def loss(self) -> float:
        """The loss that is looked at."""
        return self._seen[2]

    def _run(self, tower: str) -> tuple[TowerPass, int]:
        if tower not in self._followers:
            return self._seen[1], self._towers.index(tower)
        inputs = self._followers[tower]
        found = self._engine.single(tower, inputs)
        found.forward(inputs)
        return found, 0

    @cached_property
    def _seen(self) -> tuple[dict[str, Array], TowerPass, float]:
        live = {
            name: each.detach().numpy()
            for name, each in self._engine.networks.trained()
            if name.split(".", 1)[0] in self._towers
        }
        vectors = FlatVectors(self._towers, {name: each.shape for name, each in live.items()})
        for name, each in live.items():
            vectors.view(vectors.weights, name)[...] = each
        run = TowerPass(
            self._engine.architecture,
            [tower in GUARDED for tower in self._towers],
            vectors.parameters(vectors.weights, {}),
            vectors.parameters(vectors.gradient, {}),
            self.observations.shape,
        )
        outputs = run.forward(self.observations)
        found = self._head(outputs) if len(self.observations) else _nothing(outputs)
        run.backward(found.slopes)
        gradients = {name: vectors.view(vectors.gradient, name) for name in live}
        return gradients, run, found.value


def _nothing(outputs: Sequence[Array]) -> Evaluated:
    """The loss on no steps, of an agent that was away for the whole rollout: gradient 0."""
    return Evaluated(np.nan, (), tuple(np.zeros_like(each) for each in outputs))


def _of(values: Array, tower: int) -> Array:
    """One tower's part of what a pass keeps; the observation is all towers' own."""
    found: Array = np.array(values[tower if len(values) > 1 else 0])
    return found
