"""SAC (Haarnoja et al. 2018): twin critics, a tanh-Gaussian policy, a tuned temperature.

One gradient step is SB3's ``SAC.train``, in its order: the critics, the policy through the new
critics, the temperature, and the targets. All of them use the temperature before the step.
Actions are kept and learned in ``[-1, 1]`` and stretched to the env's bounds on their way out.

The temperature of soft actor-critic, tuned by gradient (Haarnoja et al. 2018b, eq. 18).

It is part of the agent state, as buffer ``temperature/policy.head``: float32 ``[4]``, its
logarithm, Adam's first and second moment of it, and Adam's steps. So rewrites and checkpoints keep
it, and the hash of the weights covers it. It is tuned by Adam (epsilon 1e-8) at the
rule's learning rate, whatever optimiser the towers have, as in SB3.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from agents.algorithms.off_policy import Minibatch, ReplayLearner, Sizes, follow
from agents.arrays import Array
from agents.contract import LiveObjective
from agents.genome import Genome, LearningRule, SACRule
from agents.training.spaces import action_box
from agents.training.streams import Chance

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


LOG_DEVIATIONS = (-20.0, 2.0)
CRITICS = ("q0", "q1")
_EDGE = 1e-6  # keeps the logarithm of a squashed action's slope finite, as in SB3


class SoftActorCritic(ReplayLearner):
    """One agent; its logits are a mean and a log deviation for each dimension of an action."""

    rule_type: ClassVar[type[LearningRule]] = SACRule
    viewed: ClassVar[str] = "policy"
    continuous: ClassVar[bool] = True

    def __init__(
        self,
        genome: Genome,
        sizes: Sizes,
        live_objectives: Mapping[str, LiveObjective],
        chance: Chance,
        box: Any,
    ) -> None:
        self._box = action_box(box)
        chance("noise")
        super().__init__(genome, sizes, live_objectives, chance)

    def values(self, observations: Array) -> Array:
        """State values, float32 ``[n]``: the lower of both critics at the mean action."""
        seen = torch.tensor(self._fit(observations))
        with torch.inference_mode():
            mean = self.networks.tower("policy")(seen)[:, : self.actions]
            found: Array = self._worth(CRITICS, seen, torch.tanh(mean)).numpy()
        return found

    def sample(
        self,
        observations: Array,
        rng: np.random.Generator,
        choices: Callable[[Array], Array] = lambda logits: logits,
    ) -> Array:
        """Draw actions from the policy, as the env takes them; it has no ``choices`` to cut."""
        del choices
        return self._outward(self._drawn(observations, rng))

    def divergence(self, before: Array, after: Array) -> Array:
        """KL of the Gaussians given by these outputs, nats; squashing does not change it."""
        (m0, s0), (m1, s1) = (_parts(np.asarray(each, np.float64)) for each in (before, after))
        ratio = np.exp(2 * (s0 - s1))
        each = s1 - s0 + (ratio + ((m0 - m1) / np.exp(s1)) ** 2 - 1) / 2
        found: Array = np.maximum(each.sum(1), 0.0)
        return found

    def temperature(self) -> Tensor:
        """The temperature in force, a scalar: the rule's, or the tuned one where that is 0."""
        rule = self._rule()
        if rule.temperature:
            return torch.tensor(float(rule.temperature))
        return temperature_of(self._tuned())

    # --- acting --------------------------------------------------------------------------------

    def _choose(self, inputs: Array) -> Array:
        rng = self.chance("actions")
        if not self.warm:
            return rng.uniform(-1, 1, (len(inputs), self.actions)).astype(np.float32)
        return self._drawn(inputs, rng)

    def _drawn(self, observations: Array, rng: np.random.Generator) -> Array:
        mean, log_deviation = _parts(self.logits(observations))
        noise = rng.standard_normal(mean.shape)
        found: Array = np.tanh(mean + np.exp(log_deviation) * noise).astype(np.float32)
        return found

    def _outward(self, actions: Array) -> Array:
        """Stretch ``[-1, 1]`` to the box, ``[n, *shape]`` in its own type."""
        box = self._box
        shaped = actions.reshape(len(actions), *box.shape)
        stretched = box.low + 0.5 * (shaped + 1.0) * (box.high - box.low)
        found: Array = np.clip(stretched, box.low, box.high).astype(box.dtype)
        return found

    # --- learning ------------------------------------------------------------------------------

    def _gradient_step(self, minibatch: Minibatch) -> dict[str, float]:
        noise = self._noise(len(minibatch.inputs), self.chance("noise"))
        rule = self._rule()
        seen = torch.cat([minibatch.inputs, minibatch.actions], dim=1)
        heat = self.temperature()
        critic, critic_norm = self.stepper.step(
            self.networks,
            self.optimizer,
            lambda: self._critic_loss(minibatch, noise[1], heat),
            dict.fromkeys(CRITICS, seen),
        )
        policy, policy_norm = self.stepper.step(
            self.networks,
            self.optimizer,
            lambda: self._policy_loss(minibatch, self._act(minibatch.inputs, noise[0]), heat),
            {"policy": minibatch.inputs},
        )
        if not rule.temperature:
            tune_temperature(self._tuned(), policy[1], -float(self.actions), rule.learning_rate)
        for name in CRITICS:
            follow(
                self.networks.tower(f"target_{name}"), self.networks.tower(name), rule.target_rate
            )
        names = ("critic_loss", "q_value", "policy_loss", "log_probability", "temperature")
        found = (*critic, *policy, heat, torch.hypot(critic_norm, policy_norm))
        return dict(zip((*names, "gradient_norm"), map(float, found), strict=True))

    def _critic_loss(
        self, minibatch: Minibatch, noise: Tensor, heat: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        rule = self._rule()
        with torch.no_grad():
            actions, log_p = self._act(minibatch.following, noise)
            targets = [f"target_{each}" for each in CRITICS]
            ahead = self._worth(targets, minibatch.following, actions) - heat * log_p
            wanted = minibatch.rewards + (1 - minibatch.terminated) * rule.discount * ahead
        found = self._both(CRITICS, minibatch.inputs, minibatch.actions)
        loss = 0.5 * sum((functional.mse_loss(each, wanted) for each in found), torch.zeros(()))
        return loss, (loss.detach(), found[0].detach().mean())

    def _policy_loss(
        self, minibatch: Minibatch, acted: tuple[Tensor, Tensor], heat: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        actions, log_p = acted
        with self._still(CRITICS):
            worth = self._worth(CRITICS, minibatch.inputs, actions)
        loss = (heat * log_p - worth).mean()
        return loss, (loss.detach(), log_p.detach().mean())

    def _whole_loss(self, minibatch: Minibatch) -> Tensor:
        """Both losses. Each tower reads the steps themselves first: that pass is recorded."""
        noise = self._noise(len(minibatch.inputs), np.random.default_rng(0))
        heat, acted = self.temperature(), self._act(minibatch.inputs, noise[0])
        critic = self._critic_loss(minibatch, noise[1], heat)[0]
        return critic + self._policy_loss(minibatch, acted, heat)[0]

    # --- parts ---------------------------------------------------------------------------------

    def _rule(self) -> SACRule:
        rule = self.stepper.rule
        if not isinstance(rule, SACRule):
            raise TypeError(f"only a SACRule can be installed, not {type(rule).__name__}")
        return rule

    def _extra_buffers(self) -> dict[str, Array]:
        return first_temperature()

    def _tuned(self) -> Tensor:
        """The tuned temperature's buffer; an agent state without one starts it at 1."""
        initial = torch.from_numpy(first_temperature()[TEMPERATURE])
        return self.networks.kept.setdefault(TEMPERATURE, initial)

    def _noise(self, n: int, rng: np.random.Generator) -> Tensor:
        """Noise for this and for the next action: float32 ``[2, n, dimensions]``."""
        return torch.from_numpy(rng.standard_normal((2, n, self.actions)).astype(np.float32))

    def _act(self, inputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Actions ``[n, dimensions]`` and their log densities ``[n]``, both with gradients."""
        mean, log_deviation = self.networks.tower("policy")(inputs).chunk(2, dim=1)
        log_deviation = log_deviation.clamp(*LOG_DEVIATIONS)
        actions = torch.tanh(mean + log_deviation.exp() * noise)
        normal = -0.5 * noise**2 - log_deviation - 0.5 * math.log(2 * math.pi)
        slope = torch.log(1 - actions**2 + _EDGE)
        return actions, normal.sum(1) - slope.sum(1)

    def _both(self, towers: Any, inputs: Tensor, actions: Tensor) -> list[Tensor]:
        seen = torch.cat([inputs, actions], dim=1)
        return [self.networks.tower(name)(seen).squeeze(1) for name in towers]

    def _worth(self, towers: Any, inputs: Tensor, actions: Tensor) -> Tensor:
        first, second = self._both(towers, inputs, actions)
        return torch.min(first, second)

    @contextmanager
    def _still(self, towers: tuple[str, ...]) -> Iterator[None]:
        """Let gradients pass through these towers, but not into them."""
        moved = [p for each in towers for p in self.networks.tower(each).parameters()]
        moved = [each for each in moved if each.requires_grad]
        for each in moved:
            each.requires_grad_(False)
        try:
            yield
        finally:
            for each in moved:
                each.requires_grad_(True)


def _parts(outputs: Array) -> tuple[Array, Array]:
    """Means and log deviations within their bounds, ``[n, dimensions]`` each."""
    mean, log_deviation = np.split(outputs, 2, axis=1)
    return mean, np.clip(log_deviation, *LOG_DEVIATIONS)
