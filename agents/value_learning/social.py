"""What objectives share that learn a model of another agent's values during the run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.part_settings import SettingError
from agents.value_learning.approvals import answered, rows
from agents.value_learning.handover import UNKNOWN, Fidelity, fidelity
from agents.value_learning.registry import Named, model_of
from agents.values_contract import Evidence, ValueModel, Valuer


@dataclass(frozen=True)
class ValueLearningObjective(Objective):
    """Settings of every objective with a model of another's values.

    A model that learns from ``approval`` learns from every step with a shown approval. One that
    learns from ``demonstrations`` learns from every step with advice: the agent's observation with
    the action that the other would have taken there (as in DAgger); the next observation follows
    from the agent's own action. Models that need a table, or comparisons, have no evidence here.
    """

    unit: ClassVar[str] = "unit of the value model"
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    weight: float = 1.0
    model: Named = "approval"
    caution: float = 1.645  # deviations that the lower bound of fidelity is below its estimate

    def __post_init__(self) -> None:
        known = model_of(self.model)
        if known.tabular:
            raise SettingError(
                f"model '{self.model}' needs a table of its world, which no agent has", "model"
            )
        if known.learns_from not in {"approval", "demonstrations"}:
            raise SettingError(
                f"model '{self.model}' learns from {known.learns_from}, which no agent gives here",
                "model",
            )
        if not 0 <= self.caution < math.inf:
            raise SettingError(f"caution is finite and at least 0, not {self.caution}", "caution")


class Apprentice(LiveObjective):
    """Is tested on every rollout, then learns from it: fidelity is of approvals not yet seen.

    A rollout that cannot be tested (no approval, or none that varies) leaves fidelity as it was.
    """

    def __init__(
        self, settings: ValueLearningObjective, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        kind: ValueModel = model_of(settings.model)
        self._valuer: Valuer = kind.start(size, actions, rng)
        self._from_advice = kind.learns_from == "demonstrations"
        self._caution = settings.caution
        self._updates, self._samples = 0, 0
        self._fidelity = UNKNOWN

    def update(self, rollout: Batch) -> None:
        """Test, then learn; some models also learn from the other steps (``watch``)."""
        whole = replace(rollout, present=rollout.here)
        self._test(whole)
        evidence = self._advised(whole) if self._from_advice else self._approved(whole)
        if evidence.steps.action.size:
            self._valuer.learn(evidence)
        self._valuer.watch(whole)
        self._samples += evidence.steps.action.size
        self._updates += 1

    def believed(self, batch: Batch) -> Array:
        """The model's reward, in its unit."""
        return self._valuer.reward(batch)

    def report(self) -> Mapping[str, float]:
        """``lessons``, and where they are known ``fidelity``, its lower bound, and ``doubt``."""
        found = {"lessons": float(self._samples)}
        if not math.isnan(self._fidelity.estimate):
            found |= {
                "fidelity": self._fidelity.estimate,
                "fidelity_at_least": self._fidelity.lower,
            }
        doubt = self._valuer.doubt()
        return found if doubt is None else {**found, "doubt": doubt}

    def transferable_parameters(self) -> Mapping[str, Array]:
        """The model's transferable parameters."""
        return self._valuer.transferable_parameters()

    def import_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Import the model's transferable parameters."""
        self._valuer.import_parameters(parameters)

    def state_dict(self) -> Mapping[str, Array]:
        """The model's, and what was counted."""
        own = {
            "updates": np.array(self._updates, np.int64),
            "lessons": np.array(self._samples, np.int64),
            "fidelity": np.array(self._fidelity),
        }
        return {**{f"model.{k}": v for k, v in self._valuer.state_dict().items()}, **own}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state_dict`` gave; ``ValueError`` where it does not fit."""
        missing = {"updates", "lessons", "fidelity"} - set(state)
        if missing:
            raise ValueError(f"it cannot go on from this state: '{min(missing)}' does not fit")
        model = {k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")}
        self._valuer.load_state_dict(model)
        self._updates, self._samples = int(state["updates"]), int(state["lessons"])
        self._fidelity = Fidelity(*(float(each) for each in state["fidelity"]))

    def flops(self, steps: int) -> float:
        """Every step is rewarded, tested and learned from."""
        return self._valuer.flops(2 * steps, steps)

    def _test(self, rollout: Batch) -> None:
        chosen = answered(Evidence(rollout))
        if not chosen.any():
            return
        shown = Batch(**rows(rollout, chosen))
        found = fidelity(self._valuer.reward(shown), rollout.approval[chosen], self._caution)  # type: ignore[index]
        if not math.isnan(found.estimate):
            self._fidelity = found

    def _approved(self, rollout: Batch) -> Evidence:
        return _single_steps(rollout, answered(Evidence(rollout)))

    def _advised(self, rollout: Batch) -> Evidence:
        if rollout.advice is None:
            return _single_steps(rollout, np.zeros_like(rollout.ended))
        instead = replace(rollout, action=rollout.advice)
        return _single_steps(instead, rollout.here & (rollout.advice >= 0))


def _single_steps(steps: Batch, chosen: Array) -> Evidence:
    """Every chosen step as a fragment of one step."""
    return Evidence(Batch(**{name: each[None] for name, each in rows(steps, chosen).items()}))
