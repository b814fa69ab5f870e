"""Agents of a finished trial, loaded from the final checkpoint to play again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.architecture import checkpoint
from agents.contract import AgentState, LiveLearner
from envs.contract import JointWorld, World
from envs.planning.episodes import Act
from sandbox.errors import InputError, IntegrityError, Problem, did_you_mean
from sandbox.execution.verify import verify
from sandbox.record.store import TrialRecord, chosen, read_run
from sandbox.trial import evaluation, loop, population
from sandbox.trial.environment import TrialEnv
from sandbox.trial.rehearsal import NullRecorder


@dataclass(frozen=True)
class TrainedAgents:
    """The learners of a trial and their world."""

    world: World
    place: TrialEnv
    learners: Mapping[str, LiveLearner]


def load_agents(folder: str | Path, trial: str | None) -> TrainedAgents:
    """Build a trial's agents with their final agent states, without any control around them.

    Raises ``InputError`` where there is no one such trial or no world of ours, ``IntegrityError``
    where the run was changed after it was written.
    """
    run = read_run(folder)
    records = chosen(run, trial)
    if len(records) > 1:
        raise InputError(
            Problem(
                str(folder),
                "has several trials: add --trial ID; `sandbox ledger RUN` lists the ids",
            )
        )
    (record,) = records
    verify(folder)
    built = loop.begin(record.spec, NullRecorder())
    if built.place.world is None:
        what = "its env is none of our worlds: no agent can be played in it here"
        raise InputError(Problem(str(record.folder), what))
    learners = built.population.learners
    for name, learner in learners.items():
        learner.install(_agent_state(record, name))
    return TrainedAgents(built.place.world, built.place, learners)


def policies(cast: TrainedAgents, agent: str | None, rng: np.random.Generator) -> tuple[int, Act]:
    """The seat to record, and the actions of all seats. Raises ``InputError``."""
    names = tuple(cast.learners)
    if agent is None and len(names) == 1:
        agent = names[0]
    if agent not in names:
        what = "name one with --agent" if agent is None else f"no agent is called '{agent}'"
        hint = "" if agent is None else did_you_mean(agent, names)
        raise InputError(Problem("--agent", f"{what}; there are {', '.join(names)}{hint}"))
    fit = cast.place.silent, cast.place.choices
    if population.is_population(cast.world.agents, names) or not isinstance(cast.world, JointWorld):
        alone = {"agent": evaluation.sampled(cast.learners[agent], rng, *fit)}
        return 0, evaluation.players(cast.world, alone)
    every = {name: evaluation.sampled(cast.learners[name], rng, *fit) for name in cast.world.agents}
    return cast.world.agents.index(agent), evaluation.players(cast.world, every)


def _agent_state(record: TrialRecord, agent: str) -> AgentState:
    """From the last checkpoint, which holds every agent that was there at the end."""
    *_, last = sorted((record.folder / "checkpoints").iterdir())
    state = last / f"{agent}.state.json"
    try:
        state_json = json.loads(state.read_text(encoding="utf-8"))
        return checkpoint.from_bytes(state_json, (last / f"{agent}.safetensors").read_bytes())
    except (ValueError, OSError) as error:
        raise IntegrityError(f"{state}: error: {error}") from None
