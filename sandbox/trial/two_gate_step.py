"""The laboratory's side of the two-gate guard: it plays, keeps or takes back, and says so."""

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
from sandbox.trial.edit_step import Deed, Measure
from sandbox.trial.evaluation import LiveSubject
from sandbox.trial.fingerprints import weights_hash
from sandbox.trial.population import is_population
from sandbox.trial.state import Trial


def measurer(trial: Trial, name: str) -> Measure:
    """Return what plays and gives an agent's held-out return now, charged to its meter."""
    return lambda: held_out(trial, name)


def held_out(trial: Trial, name: str) -> float:
    """Let the agents play as trained on; every time the same levels, the same chance.

    The levels are none that a probe plays: who is judged by a probe was not chosen by it.
    """
    rule = trial.parts.gate.probation
    if rule is None:
        raise ValueError("there is no two-gate guard")
    named = trial_streams(trial.spec)
    learners = {each: life.learner for each, life in trial.lives.items()}
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
        trial.clerk.beat()
    return two_gate.mean(played[name].reward)


def _charge(trial: Trial, payer: str, player: str, steps: int) -> None:
    life, gate = trial.lives[player], trial.parts.gate
    acting = _acting(life.learner.effective(), life.sizes(), steps)
    trial.lives[payer].meter.charge("evaluation", acting + gate.step_flops * steps)


def _acting(genome: Genome, sizes: tuple[int, int], steps: int) -> float:
    if isinstance(genome.learning_rule, TableRule):
        return cost.table_flops(genome.learning_rule, sizes[1], steps)
    return float(cost.rollout_flops(genome, *sizes, steps))


def begin(trial: Trial, name: str, deed: Deed) -> None:
    """Put an edit that was just applied on probation; an undo ends the one there was."""
    rule, life = trial.parts.gate.probation, trial.lives[name]
    if rule is None:
        return
    if deed.undoes is not None:
        _close(trial, name, "withdrawn", "an edit was undone", None)
    elif deed.held_out is not None:
        life.probation = Probation(
            life.entry, deed.edit, deed.before, deed.held_out, trial.update + rule.updates
        )


def settle(trial: Trial, name: str) -> None:
    """Measure an edit whose time has come; keep it, or bring back the mind before it."""
    rule, life = trial.parts.gate.probation, trial.lives[name]
    if rule is None or life.probation is None or trial.update < life.probation.until:
        return
    found, tried = held_out(trial, name), life.probation
    reason = tried.verdict(rule, found)
    if reason:
        _roll_back(trial, name, tried, reason, found)
        life.editor.hear(Reply(tried.edit, False, f"rolled back: {reason}", tried.entry))
    else:
        gained = f"held-out return {tried.held_out:.4g} -> {found:.4g}"
        _close(trial, name, "kept", gained, found)


def leave(trial: Trial, name: str) -> None:
    """The trial ends: say of an edit on probation that nobody knows."""
    _close(trial, name, "unsettled", "the trial ended before its time had come", None)


def _close(trial: Trial, name: str, outcome: str, reason: str, found: float | None) -> None:
    life = trial.lives[name]
    if life.probation is not None:
        tried, life.probation = life.probation, None
        body = {"kind": "probation", "outcome": outcome, "parent": life.entry}
        trial.receipt = trial.clerk.ledger(body | _account(trial, name, tried, reason, found))


def _roll_back(trial: Trial, name: str, tried: Probation, reason: str, found: float) -> None:
    life = trial.lives[name]
    now = life.learner.mind()
    life.become(tried.mind)
    life.probation = None
    parent = life.parents[tried.entry]
    body = {
        "kind": "rolled back",
        "parent": parent,
        "genome_before": now.genome.digest(),
        "genome_after": tried.mind.genome.digest(),
        "weights_before": weights_hash(now),
        "weights_after": weights_hash(life.learner.mind()),
    }
    trial.receipt = trial.clerk.ledger(body | _account(trial, name, tried, reason, found))
    life.moved_on(trial.receipt.entry, parent, now.genome)
    trial.clerk.event(
        RolledBack(
            agent=name,
            update=trial.update,
            steps=trial.steps,
            entry=trial.receipt.entry,
            undoes=tried.entry,
            reason=reason,
            genome=tried.mind.genome.to_json(),
            parameters=life.learner.parameters(),
        )
    )


def _account(
    trial: Trial, name: str, tried: Probation, reason: str, found: float | None
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
