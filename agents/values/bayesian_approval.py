"""Bayesian linear regression of the approval shown, with a measure of its uncertainty."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.part_settings import SettingError
from agents.value_learning.approvals import answered_steps, what_was_done
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting


@dataclass(frozen=True)
class BayesianApproval(ValueModel):
    """``approval = w . f(s, a) + noise``, ``w ~ N(0, prior^2 I)``, noise ``N(0, noise^2)``: exact.

    ``f`` is 1, the observation, the action one-hot and all their products, if these are at most
    ``most_features``; else that many random ReLU features of observation and action. The reward
    is the posterior mean. Posterior ``N(m, S)``: ``S^-1 = I / prior^2 + F'F / noise^2``,
    ``m = S F'y / noise^2`` (Bishop 2006, eq. 3.50-3.51).

    ``doubt`` is ``log det(I + S / noise^2) / 2``: the information, in nats, that one more
    observation of every weight with this noise would give. The entropy of a Gaussian alone has no
    lower bound; this one begins at ``features * log(1 + prior^2 / noise^2) / 2`` and falls to 0
    with certainty. Features never met stay uncertain.
    """

    unit: ClassVar[str] = "approval"
    learns_from: ClassVar[str] = "approval"

    prior: float = 1.0  # deviation of each weight
    noise: float = 0.5  # deviation of an approval from what it stands for
    most_features: int = 256

    def __post_init__(self) -> None:
        for name in ("prior", "noise"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingError(
                    f"{name} is a finite number above 0, not {getattr(self, name)}", name
                )
        if self.most_features < 1:
            raise SettingError(
                f"most_features is at least 1, not {self.most_features}", "most_features"
            )

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Begin with the prior; draw features where there would be too many."""
        del dynamics
        return _Believer(self, observation_size, actions, rng)


class _Believer(Valuer):
    def __init__(
        self, settings: BayesianApproval, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        self._settings, self._size, self._actions = settings, size, actions
        whole = (1 + size) * (1 + actions)
        self._drawn: Array = np.zeros((size + actions + 1, 0))  # weights of random features
        if whole > settings.most_features:
            whole = settings.most_features
            self._drawn = rng.standard_normal((size + actions + 1, whole))
            self._drawn *= math.sqrt(2.0 / whole)
        self._precision: Array = np.eye(whole) / settings.prior**2
        self._mean: Array = np.zeros(whole)

    def learn(self, evidence: Evidence) -> None:
        inputs, shown = answered_steps(evidence, self._actions)
        if not len(shown):
            return
        features, scale = self._features(inputs), self._settings.noise**-2
        weighted = self._precision @ self._mean + scale * (features.T @ shown)
        self._precision = self._precision + scale * (features.T @ features)
        self._mean = np.linalg.solve(self._precision, weighted)

    def reward(self, batch: Batch) -> Array:
        there = batch.here
        inputs = what_was_done(batch.observation, batch.action, self._actions)
        return np.where(there, self._features(inputs) @ self._mean, 0.0)

    def doubt(self) -> float:
        """See the class; by determinants of the precision with and without the observation."""
        looked = self._precision + np.eye(len(self._mean)) * self._settings.noise**-2
        return float(max(_log_det(looked) - _log_det(self._precision), 0.0)) / 2

    def transferable_parameters(self) -> Mapping[str, Array]:
        """The posterior mean; an import does not change the precision."""
        return {"mean": self._mean.copy()}

    def state_dict(self) -> Mapping[str, Array]:
        return {
            "mean": self._mean.copy(),
            "precision": self._precision.copy(),
            "drawn": self._drawn.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        fitting(state, self.state_dict())
        self._mean, self._precision = state["mean"].copy(), state["precision"].copy()
        self._drawn = state["drawn"].copy()

    def flops(self, steps: int, samples: int = 0) -> float:
        """A product a step; a sample is the square of its features, and the system is solved."""
        many = float(len(self._mean))
        drawn = 2.0 * self._drawn.size * (steps + samples)
        solving = 2 * many**3 / 3 if samples else 0.0
        return 2 * many * steps + 2 * many**2 * samples + drawn + solving

    def _features(self, inputs: Array) -> Array:
        """``[n, features]`` of ``[n, size + actions]``, float64."""
        ones = np.ones((len(inputs), 1))
        if self._drawn.size:
            found: Array = np.maximum(np.concatenate([inputs, ones], axis=1) @ self._drawn, 0)
            return found
        seen = np.concatenate([ones, inputs[:, : self._size]], axis=1)
        done = np.concatenate([ones, inputs[:, self._size :]], axis=1)
        return np.asarray((seen[:, :, None] * done[:, None, :]).reshape(len(inputs), -1))


def _log_det(matrix: Array) -> float:
    return float(np.linalg.slogdet(matrix)[1])
