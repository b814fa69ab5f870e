"""A trial's spec becomes things: genomes, learners, objectives, editors, gate and probes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import envs
from agents.contract import Edit, Editor, Learner, Objective, Population
from agents.genome import Architecture, Genome, learning_rule
from agents.part_settings import tuples
from sandbox.catalogue import Part, catalogue
from sandbox.contract import Probe, Spec, named
from sandbox.errors import InputError, Problem, TrialError
from sandbox.gate.gate import Gate
from sandbox.seeding import trial_streams
from sandbox.trial.environment import TrialEnv


def part(kind: str, setting: Mapping[str, Mapping[str, Any]]) -> Any:
    """Make the one part that ``{name: fields}`` describes."""
    name, fields = named(setting)
    return catalogue().load(kind, name)(**tuples(fields))


class Edits(Mapping[str, type[Edit]]):
    """All edits by name, in order; each loads when an editor asks for it."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = dict(sorted(parts.items()))
        self._loaded: dict[str, type[Edit]] = {}

    def __getitem__(self, name: str) -> type[Edit]:
        if name not in self._loaded:
            self._loaded[name] = self._parts[name].load()
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parts  # Mapping's own would load it

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


@dataclass(frozen=True)
class Parts:
    """Everything that a spec names except the env and the live agents."""

    learner: Learner
    objectives: Mapping[str, Objective]
    editor: Editor
    edits: Mapping[str, type[Edit]]
    gate: Gate
    probes: Mapping[str, Probe]

    @classmethod
    def of(cls, spec: Spec) -> "Parts":
        """Load the parts that this spec names."""
        return cls(
            learner=part("learners", spec["learner"]),
            objectives={k: part("objectives", {k: v}) for k, v in spec["objective"].items()},
            editor=part("editors", spec["editor"]),
            edits=Edits(catalogue().parts("edits")),
            gate=Gate(**tuples(spec["gate"])),
            probes={k: part("probes", {k: v}) for k, v in spec["probes"].items()},
        )

    def genome(self, spec: Spec) -> Genome:
        """The genome that every agent of this trial starts with."""
        return Genome(
            architecture=Architecture.from_json(spec["architecture"]),
            learning_rule=learning_rule(self.learner.genome_rule()),
            objective=tuple(sorted((k, v["weight"]) for k, v in spec["objective"].items())),
            editor=self.editor.gene(),
        )


def check_fit(spec: Spec, learner: Learner) -> None:
    """Raise ``InputError`` where the learner wants the other kind of env."""
    env_id = spec["env"]["id"]
    joint = envs.env_ids().get(env_id) == "joint" or env_id in catalogue().parallel
    if joint != learner.joint:
        name = named(spec["learner"]).name
        wanted = "independent" if joint else "ppo"
        kind = "PettingZoo" if joint else "Gymnasium"
        raise InputError(
            Problem(f"env '{env_id}'", f"is a {kind} env; learner '{name}' cannot, use '{wanted}'")
        )


def initial_genomes(spec: Spec, parts: Parts, agents: Sequence[str]) -> Mapping[str, Genome]:
    """Initial genomes of all learners for an env of these agents, by name."""
    return parts.learner.initial_genomes(parts.genome(spec), agents, trial_streams(spec))


def population(
    spec: Spec, parts: Parts, place: TrialEnv, genomes: Mapping[str, Genome]
) -> Population:
    """Build the agents of this spec. Raises ``TrialError`` where the env does not suit."""
    try:
        return parts.learner.build(place.env, genomes, parts.objectives, trial_streams(spec))
    except ValueError as error:
        raise TrialError(f"env '{spec['env']['id']}' and this agent do not fit: {error}") from error
