"""Classifying steps as another's or the agent's own: what adversarial value models share.

A discriminator gives every step a logit, high for steps like the other's. It learns by the binary
cross-entropy of steps of both kinds, half and half, drawn with replacement (Ho & Ermon 2016).
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.reservoir import Reservoir, prefixed, under
from agents.value_learning.cloning import above_nought, at_least_one
from agents.value_learning.fixed_horizon import FixedHorizon
from agents.values_contract import Evidence, LogChances, Valuer, fitting


@dataclass(frozen=True)
class AdversarialSettings:
    """Of the discriminator and its training."""

    hidden: int = 32  # units in each of two hidden ReLU layers
    learning_rate: float = 3e-3
    n_disc_updates: int = 8  # steps of Adam a rollout
    minibatch: int = 256  # steps of each kind
    capacity: int = 4096  # of the other's steps, a uniform sample of all that were shown
    variable_horizon: bool = (
        False  # True: episodes may end early, see agents.value_learning.fixed_horizon
    )

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming a setting outside its range."""
        at_least_one(self, "hidden", "n_disc_updates", "minibatch", "capacity")
        above_nought(self, "learning_rate")


class LabelledSteps(NamedTuple):
    """Steps of either kind."""

    observation: Array  # float32 [n, size]
    action: Array  # int [n]
    next_observation: Array  # float32 [n, size]

    @classmethod
    def of(cls, steps: Batch, there: Array) -> "LabelledSteps":
        """The ``steps``, of any shape, where ``there`` is true, flat."""
        seen, after = steps.observation[there], steps.next_observation[there]
        return cls(np.asarray(seen, np.float32), steps.action[there], np.asarray(after, np.float32))

    def rows(self, chosen: Array) -> "LabelledSteps":
        """These of them."""
        return LabelledSteps(*(each[chosen] for each in self))


class AdversarialValuer(Valuer):
    """A discriminator and the other's steps. A subclass defines its logits and how it learns."""

    def __init__(self, settings: AdversarialSettings, size: int, rng: np.random.Generator) -> None:
        self.settings = settings
        self._horizon = FixedHorizon(settings.variable_horizon)
        seen = np.zeros(size, np.float32)
        blank = LabelledSteps(seen, np.zeros((), np.int64), seen)
        self._shown = Reservoir(blank._asdict(), settings.capacity, rng)
        self._seed, self._fits = int(rng.integers(2**62)), 0

    @abstractmethod
    def train_step(self, steps: LabelledSteps, labels: Array, policy: LogChances | None) -> None:
        """One step of Adam on the cross-entropy; ``labels`` are 1 for the other's, 0 for own."""

    @abstractmethod
    def judge_state(self) -> dict[str, Array]:
        """Copies of the discriminator's arrays, by name."""

    @abstractmethod
    def load_judge(self, state: Mapping[str, Array]) -> None:
        """Take over what ``judge_state`` gave."""

    def learn(self, evidence: Evidence) -> None:
        """Store the other's steps; the discriminator learns in ``watch``."""
        self._horizon.check_evidence(evidence)
        self._shown.add(LabelledSteps.of(evidence.steps, evidence.present)._asdict())

    def watch(self, rollout: Batch, policy: LogChances | None = None) -> None:
        """Let the discriminator learn, if there are steps of both kinds."""
        self._horizon.check_rollout(rollout)
        own = LabelledSteps.of(rollout, rollout.here)
        if not len(self._shown) or not len(own.action):
            return
        self.prepare(own, policy)
        for steps, labels in self._draws(own):
            self.train_step(steps, labels, policy)

    def prepare(self, own: LabelledSteps, policy: LogChances | None) -> None:
        """Prepare the discriminator's updates of one rollout."""
        del own, policy

    def _draws(self, own: LabelledSteps) -> Iterator[tuple[LabelledSteps, Array]]:
        rng = np.random.Generator(np.random.PCG64([self._seed, self._fits]))
        self._fits += 1
        k = self.settings.minibatch
        others = LabelledSteps(**self._shown.held())
        labels = np.repeat(np.array([1.0, 0.0], np.float32), k)
        for _ in range(self.settings.n_disc_updates):
            parts = (each.rows(rng.integers(len(each.action), size=k)) for each in (others, own))
            yield LabelledSteps(*map(np.concatenate, zip(*parts, strict=True))), labels

    def state_dict(self) -> Mapping[str, Array]:
        """The discriminator, the other's steps, the length of own episodes, and the seed."""
        return {
            **prefixed("judge", self.judge_state()),
            **prefixed("shown", self._shown.state()),
            **prefixed("own", self._horizon.state()),
            "seed": np.array(self._seed, np.int64),
            "lessons": np.array(self._fits, np.int64),
        }

    def transferable_parameters(self) -> Mapping[str, Array]:
        """The discriminator's weights, without those that estimate the agent's own policy."""
        named = self.state_dict().items()
        mine = ((name, each) for name, each in named if not name.startswith("judge.self."))
        return {name: each for name, each in mine if ".net." in name}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take it over. Raises ``ValueError`` for a state of another world."""
        fitting(state, self.state_dict())
        self.load_judge(under("judge", state))
        self._shown.load(under("shown", state))
        self._horizon.load(under("own", state))
        self._seed, self._fits = int(state["seed"]), int(state["lessons"])


def blame(logits: Array, labels: Array) -> Array:
    """Gradient of the mean binary cross-entropy by the logits, float32 ``[n, 1]``."""
    found: Array = (sigmoid(logits) - labels) / np.float32(len(labels))
    return found[:, None]


def sigmoid(logits: Array) -> Array:
    """``1 / (1 + exp(-logits))`` that never overflows."""
    found: Array = np.exp(-np.logaddexp(np.zeros_like(logits), -logits))
    return found
