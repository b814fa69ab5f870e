"""The two-gate guard in a trial: plays, keeps or rolls back an edit, and records that."""

from typing import Any

import numpy as np

from agents.architecture import cost
from agents.contract import Reply
from agents.genome import Genome, TableRule
from sandbox.contract import IN_DISTRIBUTION
from sandbox.gate import two_gate
from sandbox.gate.two_gate import Probation
from sandbox.record.events import RolledBack
from sandbox.seeding import trial_streams
from sandbox.trial.edit_step import EditOutcome, Measure
from sandbox.trial.evaluation import LiveSubject
from sandbox.trial.fingerprints import weights_hash
from sandbox.trial.live_trial import LiveTrial
from sandbox.trial.population import is_population


def measurer(trial: LiveTrial, name: str) -> Measure:
    """Return what plays and gives an agent's held-out return now, charged to its meter."""
    return lambda: held_out(trial, name)


def held_out(trial: LiveTrial, name: str) -> float:
    """Let the agents play as trained on; every time the same levels, the same chance.

    No probe plays these levels: probes must not measure what the guard selected for.
    """
    rule = trial.parts.gate.probation
    if rule is None:
        raise ValueError("there is no two-gate guard")
    named = trial_streams(trial.spec)
    learners = {each: agent_run.learner for each, agent_run in trial.agent_runs.items()}
    alone = is_population(trial.place.agents, learners)
    learners = {name: learners[name]} if alone else learners
    subject = LiveSubject(
        trial.update,
        trial.steps,
        trial.place,
        learners,
        lambda each: named(f"two-gate {each}"),
        name if alone else "",
    )
    played = subject.play(IN_DISTRIBUTION, rule.episodes)
    for each, episodes in played.items():
        steps = int(np.sum(episodes.length))
        _charge(trial, name, each, steps)
        trial.trial_recorder.beat()
    return two_gate.mean(played[name].reward)


def _charge(trial: LiveTrial, payer: str, player: str, steps: int) -> None:
    agent_run, gate = trial.agent_runs[player], trial.parts.gate
    acting = _acting(agent_run.learner.effective(), agent_run.sizes(), steps)
    trial.agent_runs[payer].meter.charge("evaluation", acting + gate.step_flops * steps)


def _acting(genome: Genome, sizes: tuple[int, int], steps: int) -> float:
    if isinstance(genome.learning_rule, TableRule):
        return cost.table_flops(genome.learning_rule, sizes[1], steps)
    return float(cost.rollout_flops(genome, *sizes, steps))


def begin(trial: LiveTrial, name: str, edit_outcome: EditOutcome) -> None:
    """Put an edit that was just applied on probation; an undo ends the one there was."""
    rule, agent_run = trial.parts.gate.probation, trial.agent_runs[name]
    if rule is None:
        return
    if edit_outcome.undoes is not None:
        _close(trial, name, "withdrawn", "an edit was undone", None)
    elif edit_outcome.held_out is not None:
        agent_run.probation = Probation(
            agent_run.entry,
            edit_outcome.edit,
            edit_outcome.before,
            edit_outcome.held_out,
            trial.update + rule.updates,
        )


def settle(trial: LiveTrial, name: str) -> None:
    """Measure an edit whose time has come; keep it, or restore the agent state before it."""
    rule, agent_run = trial.parts.gate.probation, trial.agent_runs[name]
    if rule is None or agent_run.probation is None or trial.update < agent_run.probation.until:
        return
    found, tried = held_out(trial, name), agent_run.probation
    reason = tried.verdict(rule, found)
    if reason:
        _roll_back(trial, name, tried, reason, found)
        agent_run.editor.receive(Reply(tried.edit, False, f"rolled back: {reason}", tried.entry))
    else:
        gained = f"held-out return {tried.held_out:.4g} -> {found:.4g}"
        _close(trial, name, "kept", gained, found)


def leave(trial: LiveTrial, name: str) -> None:
    """The trial ends: record an edit on probation as unsettled."""
    _close(trial, name, "unsettled", "the trial ended before its time had come", None)


def _close(trial: LiveTrial, name: str, outcome: str, reason: str, found: float | None) -> None:
    agent_run = trial.agent_runs[name]
    if agent_run.probation is not None:
        tried, agent_run.probation = agent_run.probation, None
        body = {"kind": "probation", "outcome": outcome, "parent": agent_run.entry}
        trial.receipt = trial.trial_recorder.ledger(
            body | _account(trial, name, tried, reason, found)
        )


def _roll_back(trial: LiveTrial, name: str, tried: Probation, reason: str, found: float) -> None:
    agent_run = trial.agent_runs[name]
    now = agent_run.learner.agent_state()
    agent_run.become(tried.agent_state)
    agent_run.probation = None
    parent = agent_run.parents[tried.entry]
    body = {
        "kind": "rolled back",
        "parent": parent,
        "genome_before": now.genome.digest(),
        "genome_after": tried.agent_state.genome.digest(),
        "weights_before": weights_hash(now),
        "weights_after": weights_hash(agent_run.learner.agent_state()),
    }
    trial.receipt = trial.trial_recorder.ledger(body | _account(trial, name, tried, reason, found))
    agent_run.moved_on(trial.receipt.entry, parent, now.genome)
    trial.trial_recorder.event(
        RolledBack(
            agent=name,
            update=trial.update,
            steps=trial.steps,
            entry=trial.receipt.entry,
            undoes=tried.entry,
            reason=reason,
            genome=tried.agent_state.genome.to_json(),
            parameters=agent_run.learner.parameters(),
        )
    )


def _account(
    trial: LiveTrial, name: str, tried: Probation, reason: str, found: float | None
) -> dict[str, Any]:
    return {
        "agent": name,
        "of": tried.entry,
        "reason": reason,
        "held_out_before": tried.held_out,
        "held_out_after": found,
        "update": trial.update,
        "steps": trial.steps,
        "flops": trial.flops,
    }
