"""Every edit on every learner that may be rewritten: whose state, whose target, next.

Weights are distinguished by their values, which are all different
in a trained agent state: a weight that is there before and after an edit has survived it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from agents.architecture.initial import trainable
from agents.architecture.validity import genome_problems, state_problems
from agents.arrays import Array
from agents.contract import AgentState, EditEvidence, RefusedEditError, View
from agents.engine.support import why_torch
from agents.genome import Architecture, Genome, Guard, Layer
from sandbox.catalogue import catalogue
from tests.agents.learning_kinds import ALL, SETTINGS, STREAMED, a_genome, after_updates

KINDS = {name: part.load() for name, part in catalogue().parts("edits").items()}
TRIED = 2
"""Candidates of each edit that are tried: the first and the last."""
_OPTIMISER = ("optimiser", "momentum", "weight_decay")
_FORGETFUL = {"widen_naive", "restart"}
"""Edits that start the optimiser anew and say so: controls, whose survivors keep no state."""


def rich(name: str) -> Genome:
    """A mixture, missing edges, a skip, a guard, a past; and a rule that keeps buffers of all."""
    rule = {"pull_to_birth": 0.01, "replacement_rate": 0.01, "maturity": 2}
    layers = (
        Layer("mixture", 6, count=2),
        Layer("dense", 8, density=0.5),
        Layer("skip", 8, source=0),
        Layer("dense", 5),
    )
    genome = a_genome(name, *layers, **rule)
    guards = (Guard("clamp", bound=15.0),)
    return replace(genome, architecture=replace(genome.architecture, history=2, guards=guards))


BODIES = {"plain": a_genome, "rich": rich}


def refused(entry: int) -> AgentState:
    raise RefusedEditError(f"entry {entry} is not kept")


@cache
def another(name: str) -> AgentState:
    return after_updates(name, 2, seed=5)[1].agent_state()


@cache
def an_agent_run(name: str, body: str = "plain", engine: str = "auto") -> tuple[Any, AgentState]:
    """A population that goes on from test to test, and its agent's state after three updates."""
    more = {"engine": engine} if hasattr(SETTINGS[name], "engine") else {}
    population, learner = after_updates(name, 3, BODIES[body](name), **more)
    return population, learner.agent_state()


def engine_for(kind: str) -> str:
    """What can compute the network after this kind of edit."""
    return "torch" if why_torch(Architecture(()), {kind: KINDS[kind]}) else "auto"


@dataclass
class Case:
    """One candidate that was applied to an agent state after training."""

    name: str
    edit: Any
    population: Any
    before: AgentState
    after: AgentState

    @property
    def learner(self) -> Any:
        return self.population.learners["agent"]


def the_view(learner: Any, name: str) -> View:
    """What its editor would see; the first unit of every layer is said to sleep."""
    seen = dict(learner.view())
    seen["unit_scores"] = tuple(np.r_[0.0, scores[1:]] for scores in seen["unit_scores"])
    return View(
        learner.effective(),
        3,
        1.0,
        np.inf,
        (0.0,) * 3,
        look=learner.look(),
        sizes=(learner.observation_size, learner.actions),
        peers={"other": (1.0, 2.0, 3.0)},
        peer_genomes={"other": another(name).genome},
        **seen,
    )


def caught_up(agent_state: AgentState) -> AgentState:
    """The same agent state with targets that have reached their online networks."""
    duplicates = {
        n: n.removeprefix("target_") for n in agent_state.parameters if n.startswith("target_")
    }
    reached = {
        name: agent_state.parameters[duplicate].copy() for name, duplicate in duplicates.items()
    }
    return replace(agent_state, parameters={**agent_state.parameters, **reached})


def cases(
    name: str,
    kind: str,
    body: str = "plain",
    prepared: Callable[[AgentState], AgentState] = lambda agent_state: agent_state,
) -> Iterator[Case]:
    """Apply candidates, one by one, to the same agent state; refusals must have a clear reason."""
    population, before = an_agent_run(name, body, engine_for(kind))
    learner, before = population.learners["agent"], prepared(before)
    learner.install(before)
    offered = list(KINDS[kind].candidates(the_view(learner, name)))
    for edit in [*offered[:1], *offered[1:][-1:]][:TRIED]:
        learner.install(before)
        peers = {"other": lambda: prepared(another(name))}
        evidence = EditEvidence(learner.look(), refused, peers)
        try:
            judged = edit.rewrite(before.genome)
            if genome_problems(judged):
                continue  # the gate says why
            after = edit.apply_seeing(learner.agent_state(), np.random.default_rng(3), evidence)
        except RefusedEditError as reason:
            assert str(reason).strip(), "a refusal without a reason"  # noqa: PT017
            continue
        assert after.genome == judged
        yield Case(name, edit, population, before, after)


# --- who survived --------------------------------------------------------------------------------


def entries(agent_state: AgentState, tower: str) -> tuple[list[tuple[str, int]], Array]:
    """Every trained number of a tower: where it is, and what it is."""
    names = [
        n
        for n in agent_state.parameters
        if n.startswith(f"{tower}.") and trainable(agent_state.genome, n)
    ]
    places = [(name, i) for name in names for i in range(agent_state.parameters[name].size)]
    values = [agent_state.parameters[name].ravel() for name in names]
    return places, np.concatenate(values)


def survivors(case: Case, tower: str) -> list[tuple[tuple[str, int], tuple[str, int]]]:
    """(place before, place after) of every number that is once in each."""
    old, was = entries(case.before, tower)
    new, now = entries(case.after, tower)
    single = once(was) & once(now)
    there = {value: place for place, value in zip(old, was, strict=True) if value in single}
    return [(there[v], place) for place, v in zip(new, now, strict=True) if v in single]


def once(values: Array) -> set[float]:
    """The numbers that are there exactly once; not 0, which masks and starts give to many."""
    found, counts = np.unique(values, return_counts=True)
    return set(found[(counts == 1) & (found != 0)].tolist())


def stepped(learner: Any, agent_state: AgentState, gradients: dict[str, Array]) -> dict[str, Array]:
    """How far one step of the live optimiser on known gradients moves each number."""
    learner.install(agent_state)
    networks = getattr(learner, "networks", None) or learner.policy
    optimizer = getattr(learner, "optimizer", None) or learner.policy.optimizer
    for group in optimizer.param_groups:
        group["lr"] = 1e-3
    before = {name: each.detach().clone() for name, each in networks.trained()}
    for name, each in networks.trained():
        each.grad = torch.from_numpy(gradients[name].reshape(each.shape))
    optimizer.step()
    optimizer.zero_grad()
    return {n: (each.detach() - before[n]).numpy().ravel() for n, each in networks.trained()}


def drawn(agent_state: AgentState, seed: int) -> dict[str, Array]:
    """Gradients as large as those that the moments remember, so that a step shows both."""
    rng, found = np.random.default_rng(seed), {}
    for name, value in agent_state.parameters.items():
        known = agent_state.moments.get(name)
        size = np.sqrt(known.second.mean()) if known else 1.0
        found[name] = (size * rng.standard_normal(value.size)).astype(np.float32)
    return found


def check_optimiser(case: Case) -> int:
    """The next step moves every survivor as it would have without the edit; return how many."""
    rules = case.before.genome.learning_rule, case.after.genome.learning_rule
    if any(getattr(rules[0], name) != getattr(rules[1], name) for name in _OPTIMISER):
        return 0
    old, new = drawn(case.before, 1), drawn(case.after, 2)
    pairs = [each for tower in case.before.genome.towers() for each in survivors(case, tower)]
    shares = [share(case, *each) for each in pairs]
    for ((name, i), (now, k)), part in zip(pairs, shares, strict=True):
        new[now][k] = part * old[name][i]
    plain = stepped(case.learner, case.before, old)
    edited = stepped(case.learner, case.after, new)
    for ((name, i), (now, k)), part in zip(pairs, shares, strict=True):
        if part == 1:  # of a copy epsilon weighs more against its smaller moments
            assert edited[now][k] == pytest.approx(plain[name][i], rel=1e-3, abs=2e-7), (name, now)
    return shares.count(1.0)


def share(case: Case, was: tuple[str, int], now: tuple[str, int]) -> float:
    """1; where a unit became ``c`` copies, each gets ``1/c`` of the gradient, as its moments say.

    The second moment has its square, and the first must agree.
    """
    before, after = case.before.moments[was[0]], case.after.moments.get(now[0])
    if after is None or not before.second.ravel()[was[1]]:
        return 1.0
    found = float(np.sqrt(after.second.ravel()[now[1]] / before.second.ravel()[was[1]]))
    if not 0 < found < 0.95:
        return 1.0
    assert round(1 / found) == pytest.approx(1 / found, rel=1e-3)
    firsts = before.first.ravel()[was[1]], after.first.ravel()[now[1]]
    assert firsts[1] == pytest.approx(found * firsts[0], rel=1e-3)
    return found


def check_targets(case: Case) -> None:
    """What became of a weight became of its target's: the same map moved both."""
    before, after = case.before.parameters, case.after.parameters
    for target in case.before.genome.targets():
        for (name, i), (now, k) in survivors(case, target.removeprefix("target_")):
            found = after[f"target_{now}"].ravel()[k]
            assert found == before[f"target_{name}"].ravel()[i], (name, now)


def outputs(case: Case, agent_state: AgentState, tower: str) -> Array:
    """What a tower of the live learner makes of random inputs with an empty past."""
    case.learner.install(agent_state)
    size, history = case.learner.observation_size, agent_state.genome.architecture.history
    rng = np.random.default_rng(4)
    seen = np.zeros((64, size * history), np.float32)
    seen[:, :size] = rng.standard_normal((64, size))
    if case.name == "sac" and tower != "policy":
        acted = rng.uniform(-1, 1, (64, case.learner.actions)).astype(np.float32)
        seen = np.concatenate([seen, acted], axis=1)
    with torch.no_grad():
        found: Array = case.learner.networks.tower(tower)(torch.from_numpy(seen)).numpy()
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "body"), [*product(ALL, BODIES), (STREAMED, "rich")])
def test_state_targets_claims_and_the_next_update(name, kind, body):
    for case in cases(name, kind, body):
        learner, claim = case.learner, case.edit.claim(case.before.genome)
        sizes = learner.observation_size, learner.actions
        assert state_problems(case.after, *sizes) == ()
        check_targets(case)
        if kind in _FORGETFUL:
            assert not case.after.moments
        else:
            check_optimiser(case)
        learner.install(case.before)
        seen = learner.recent_observations(64)
        was = learner.logits(seen)
        learner.install(case.after)
        assert learner.effective() == case.after.genome
        moved = float(np.abs(learner.logits(seen) - was).max())
        if claim.max_logit_change is not None:
            assert moved <= claim.max_logit_change
        if claim.max_logit_change is not None and case.edit.part == "architecture":
            for target in case.after.genome.targets():
                gap = outputs(case, case.after, target) - outputs(case, case.before, target)
                assert np.abs(gap).max() <= max(1e-5, claim.max_logit_change), target
        learner.install(case.after)
        report = case.population.update()["agent"]
        assert all(np.isfinite(each) for each in report.losses.values())
        assert report.losses, "nothing was learned"
        learner.install(case.before)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["dqn", "sac"])
def test_a_target_that_equals_its_online_network_does_so_after_any_edit(name, kind, body):
    for case in cases(name, kind, body, caught_up):
        after = case.after
        for target in (each for each in after.parameters if each.startswith("target_")):
            duplicate = after.parameters[target.removeprefix("target_")]
            assert np.array_equal(after.parameters[target], duplicate), target
        for mask in (each for each in after.buffers if each.startswith("mask/target_")):
            assert np.array_equal(after.buffers[mask], after.buffers[mask.replace("target_", "")])


@pytest.mark.parametrize("name", ALL)
def test_most_weights_survive_a_growth_so_that_the_above_means_something(name):
    (case, *_) = cases(name, "widen")
    trained = sum(len(entries(case.before, tower)[0]) for tower in case.before.genome.towers())
    assert check_optimiser(case) > 0.9 * trained


@pytest.mark.parametrize("name", ALL)
def test_swapped_state_would_be_noticed(name):
    (case, *_) = cases(name, "identity")
    names = [n for n, each in case.after.moments.items() if each.first.ndim == 2]
    one = next(n for n in names if n.endswith("inner.weight"))
    moment = case.after.moments[one]
    wrong = replace(moment, first=moment.first[::-1].copy(), second=moment.second[::-1].copy())
    case.after = replace(case.after, moments={**case.after.moments, one: wrong})
    with pytest.raises(AssertionError):
        check_optimiser(case)


@pytest.mark.parametrize("name", ["dqn", "sac"])
def test_a_target_left_behind_would_be_noticed(name):
    (case, *_) = cases(name, "identity")
    tower = case.after.genome.targets()[0]
    shuffled = case.after.parameters[f"{tower}.0.weight"][::-1].copy()
    parameters = {**case.after.parameters, f"{tower}.0.weight": shuffled}
    case.after = replace(case.after, parameters=parameters)
    with pytest.raises(AssertionError):
        check_targets(case)
