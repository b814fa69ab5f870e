"""Dose 1 normalises the input of every layer: the agent starts with layer norms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sandbox.analysis.metric_base import started
from sandbox.contract import Lever, Spec
from sandbox.record.events import Event

Layers = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class LayerNorm(Lever):
    """Puts a ``norm`` before the first layer and after every dense one (Ba et al. 2016)."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """With norms (1) or without (0); of dense layers alone."""
        if dose not in {0, 1}:
            return f"an agent has layer norms (1) or none (0), not {dose:g}"
        layers = spec["architecture"]["layers"]
        if not dose or _normed(layers):
            return None
        if not layers or any(each["kind"] != "dense" for each in layers):
            return "norms go between dense layers: the architecture must have these and no others"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Insert the norms. Raises ``TrialError`` where the env cannot be made."""
        layers = spec["architecture"]["layers"]
        if dose == self.neutral or _normed(layers):
            return spec
        history = spec["architecture"].get("history", 1)
        found = [{"kind": "norm", "units": history * _observation_size(spec)}]
        for each in layers:
            found += [each, {"kind": "norm", "units": each["units"]}]
        return {**spec, "architecture": {**spec["architecture"], "layers": found}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """All agents start with the norms, or with none, as read back from the live agents."""
        first = started(events)
        if first is None or not first.genomes:
            return None
        initial = [genome["architecture"]["layers"] for genome in first.genomes.values()]
        if dose:
            return all(map(_normed, initial))
        return not any(each["kind"] == "norm" for layers in initial for each in layers)


def _normed(layers: Layers) -> bool:
    """Does a norm stand before the first layer and after every one?"""
    kinds = [each["kind"] for each in layers]
    return len(kinds) > 1 and set(kinds[::2]) == {"norm"} and "norm" not in kinds[1::2]


def _observation_size(spec: Spec) -> int:
    from agents.training.spaces import flat_size  # noqa: PLC0415  (what a report loads imports no agents)
    from sandbox.trial.controls import controlled  # noqa: PLC0415
    from sandbox.trial.environment import trial_env  # noqa: PLC0415

    place = controlled(spec, trial_env(spec, 1), 1)
    env = place.env[0] if isinstance(place.env, list) else place.env
    try:
        space = getattr(env, "single_observation_space", None)
        if space is None:
            return flat_size(env.observation_space(env.possible_agents[0]))
        return flat_size(space) // len(place.agents)
    finally:
        env.close()
