"""A scenario becomes trials: condition x env x seed, each with the hash of its spec as its id.

A trial's spec is JSON with every setting in it, so its id changes when, and only when, something
that could change its result does; the order of anything in the scenario does not matter.
"""

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.catalogue import catalogue
from sandbox.contract import Lever, Spec
from sandbox.design import conditions, count_conditions
from sandbox.record.differences import Path, differences, meet
from sandbox.scenario.model import Scenario
from sandbox.scenario.pinned import identity
from sandbox.words import Dose, condition_name

IDENTITY = 1
"""Version of what a trial's id is made from."""

Condition = Mapping[str, Dose]
"""Lever -> dose, for every lever of the scenario."""


@dataclass(frozen=True)
class PlannedTrial:
    """One condition, one env, one seed."""

    id: str
    spec: dict[str, Any]

    @property
    def condition_name(self) -> str:
        """``data_coverage=0.5,freeze_editor=0``; ``base`` where there are no levers."""
        return condition_name(self.spec["condition"])


def expand(scenario: Scenario) -> tuple[PlannedTrial, ...]:
    """All trials; the first seed of every condition and env comes before the second of any.

    Two envs may come to the same trial, where an arm undoes what they differ by: then each has one
    of its own, and every one after the first says in its ``env`` which ``copy`` it is.
    """
    turned = conditions(scenario.levers, scenario.design)
    found: dict[str, PlannedTrial] = {}
    for seed, condition, env in itertools.product(scenario.seeds, turned, scenario.envs):
        made, copy = trial(scenario, env, condition, seed), 0
        while made.id in found:
            copy += 1
            made = _trial({**made.spec, "env": {**made.spec["env"], "copy": copy}})
        found[made.id] = made
    return tuple(found.values())


def count(scenario: Scenario) -> int:
    """How many trials ``expand`` would give, without expanding."""
    turned = count_conditions(scenario.levers, scenario.design)
    return turned * len(scenario.envs) * len(scenario.seeds)


def trial(
    scenario: Scenario, env: Mapping[str, Any], condition: Condition, seed: int
) -> PlannedTrial:
    """One trial. Levers are applied in the order of their names; no two touch the same key."""
    spec = base_spec(scenario, env, seed)
    for name in sorted(condition):
        spec = dict(lever(name).apply(spec, condition[name]))
    spec.pop("arms", None)  # what other arms are is no part of what this trial is
    spec["condition"] = {name: condition[name] for name in sorted(condition)}
    return _trial(spec)


def _trial(spec: Mapping[str, Any]) -> PlannedTrial:
    return PlannedTrial(trial_id(spec), _ordered(spec))


def _ordered(value: Any) -> Any:
    """Keys sorted, as in the record: a spec read back from a record gives the same run."""
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(each) for each in value] if isinstance(value, list) else value


def base_spec(scenario: Scenario, env: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The spec before any lever is turned, with the scenario's ``arms`` where it has some."""
    return {
        "identity": IDENTITY,
        "env": {key: env[key] for key in ("id", "kwargs", "name") if key in env},
        **scenario.agent,
        "gate": {**scenario.gate, **env.get("gate", {})},
        "controls": {**scenario.controls, **env.get("controls", {})},
        "probes": dict(scenario.probes),
        "seed": seed,
        "salt": 0,
        "condition": {},
        **({"arms": scenario.arms} if scenario.arms else {}),
    }


def lever(name: str) -> Lever:
    """Make the lever of this name."""
    made: Lever = catalogue().load("levers", name)()
    return made


def trial_id(spec: Spec) -> str:
    """First 12 hex digits of the SHA-256 of the spec's canonical JSON.

    No control at all is left out: such a trial is what it was before there were controls. So is
    the name that a scenario gives its env.
    """
    controls = identity(spec.get("controls", {}))
    spec = {key: value for key, value in spec.items() if key != "controls"}
    spec |= {"controls": controls} if controls else {}
    spec["env"] = {key: value for key, value in spec["env"].items() if key != "name"}
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def touched(before: Any, after: Any) -> list[Path]:
    """Paths at which two specs differ: what a lever does."""
    return sorted(each.path for each in differences(before, after))


def overlap(one: set[Path], other: set[Path]) -> Path | None:
    """A path that both sets touch, or ``None``; touching a part is touching what is in it."""
    for mine, theirs in itertools.product(sorted(one), sorted(other)):
        if meet(mine, theirs):
            return max(mine, theirs, key=len)
    return None
