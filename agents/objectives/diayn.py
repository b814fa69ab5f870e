"""Diversity of skills: being in states from which the current skill can be inferred."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.learned_drive import Drive, LearnedObjective, PresentSteps, Stateful
from agents.models.perceptron import Adam, Perceptron, cross_entropy
from agents.models.running_moments import Normaliser
from agents.part_settings import SettingError

_FEWEST = 2


@dataclass(frozen=True)
class Diayn(LearnedObjective):
    """Eysenbach et al. 2019, eq. 3: ``r = (log q(z | s') - log p(z)) / c``, in nats if ``c`` is 1.

    ``z`` is the skill in force, one-hot in the last ``skills`` numbers of the observation that was
    acted on; the control ``skill`` puts it there, and draws it uniformly, so ``log p(z)`` is
    ``-log skills``. ``q`` sees the rest of the observation arrived in, whitened, and never a skill.

    No step has more reward than ``log skills``, as no probability exceeds 1; the mean reaches that
    where no two skills share a state, and else is at most the mutual information of states and
    skills. A step without a skill (all of them 0) has reward 0 and is not learned from. ``c`` is 1
    by default: ``normaliser``. ``latent`` has no meaning here.

    Everything changes between rollouts only; the first one has reward 0.
    """

    unit: ClassVar[str] = "nats"
    scope: ClassVar[str] = "lifelong"

    skills: int = 4
    update_proportion: float = 1.0
    normaliser: Normaliser = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.skills < _FEWEST:
            raise SettingError(f"skills is at least 2, not {self.skills}", "skills")

    def needs(self) -> Mapping[str, Mapping[str, Any]]:
        """As many skills, shown last."""
        return {"skill": {"skills": self.skills}}

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw ``q``, and a seed for the samples that it will learn from."""
        del actions
        if observation_size <= self.skills:
            raise ValueError(
                f"diayn finds no state before {self.skills} skills in observations of "
                f"{observation_size} numbers; the control 'skill' adds skills"
            )
        return _Diverse(self, observation_size - self.skills, rng)


class _Diverse(Drive):
    def __init__(self, settings: Diayn, size: int, rng: np.random.Generator) -> None:
        self._size, self._skills = size, settings.skills
        self._classifier = Perceptron((size, settings.hidden, settings.skills), rng)  # q
        self._adam = Adam(self._classifier.weights, settings.learning_rate)
        super().__init__(settings, size, rng)

    def flops(self, steps: int) -> float:
        """One look a step for the reward; a backward pass counts as two forward passes."""
        return (steps + 3 * self._settings.samples(steps)) * self._classifier.flops()

    def _raw(self, batch: Batch, here: Array) -> Array:
        skill = self._skill(batch.observation, here)
        logits = self._classifier(self._state(batch.next_observation)).astype(np.float64)
        surprise, _ = cross_entropy(logits, np.maximum(skill, 0))
        return np.where(skill >= 0, math.log(self._skills) - surprise, 0.0)

    def _take_in(self, steps: PresentSteps) -> None:
        self._whiten.add(steps.after[:, : self._size])

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        skill = self._skill(steps.before, np.ones(len(steps.before), bool))
        (shown,) = (skill >= 0).nonzero()
        if not len(shown):
            return
        chosen = shown[self._sample(len(shown), rng)]
        size = self._settings.minibatch
        for start in range(0, len(chosen), size):
            part = chosen[start : start + size]
            looked = self._classifier.activations(self._state(steps.after[part]))
            delta = cross_entropy(looked[-1], skill[part])[1] * np.float32(1 / len(part))
            self._adam.step(self._classifier.weights, self._classifier.backward(looked, delta)[0])

    def _state(self, observations: Array) -> Array:
        return self._whiten(observations[:, : self._size])

    def _skill(self, observations: Array, here: Array) -> Array:
        """Skill of each row, int ``[n]``; -1 where none is shown, or the agent is absent."""
        shown = observations[:, self._size :]
        ones, zeros = (shown == 1).sum(axis=1), (shown == 0).sum(axis=1)
        odd = here & ((ones > 1) | (ones + zeros != self._skills))
        if odd.any():
            row = int(np.flatnonzero(odd)[0])
            raise ValueError(
                f"the last {self._skills} numbers seen are no skill, which is one 1 among 0s: "
                f"{np.array2string(shown[row], precision=4, threshold=8)} in row {row}; "
                "the control 'skill' must add as many, and come last"
            )
        return np.where(here & (ones == 1), shown.argmax(axis=1), -1)

    def _parts(self) -> Mapping[str, Stateful]:
        return {"told": self._classifier, "adam": self._adam}
