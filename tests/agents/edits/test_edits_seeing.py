"""Edits that look at a rollout do with it what their papers say; measured on a living PPO."""

import numpy as np
import pytest

from agents.contract import EditEvidence, RefusedEditError, View
from agents.edits.regrow_edges import RegrowEdges
from agents.edits.set_optimiser import SetOptimiser
from agents.edits.widen import Widen
from agents.edits.widen_gradmax import WidenGradmax
from agents.genome import Architecture, Genome, Layer, LearningRule
from tests.agents.small_worlds import solo

RULE = LearningRule(minibatch=16, learning_rate=3e-3)


def alive(architecture, updates=3, engine="auto", **rule):
    from dataclasses import replace

    population = solo(genome=Genome(architecture, replace(RULE, **rule)), engine=engine)
    for _ in range(updates):
        population.update()
    return population, population.learners["agent"]


def evidence(live):
    return EditEvidence(live.look(), lambda entry: pytest.fail(f"asked for {entry}"))


def new_row_gradients(live, edit, seed=0):
    """Length of the gradient of what the new units read, after the edit, over both towers."""
    agent_state = edit.apply_seeing(live.agent_state(), np.random.default_rng(seed), evidence(live))
    was = live.agent_state()
    live.install(agent_state)
    rows = [live.look().gradients()[f"{t}.{edit.layer}.weight"][-edit.units :] for t in _TOWERS]
    live.install(was)
    return np.sqrt(sum(np.square(each).sum() for each in rows))


_TOWERS = ("policy", "value")


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_gradients_are_those_of_finite_differences(engine):
    _, live = alive(Architecture((Layer("dense", 6),)), engine=engine)
    look, agent_state = live.look(), live.agent_state()
    gradient = look.gradients()["policy.0.weight"]
    place, nudge = np.unravel_index(np.abs(gradient).argmax(), gradient.shape), 1e-2
    losses = []
    for sign in (1, -1):
        moved = agent_state.parameters["policy.0.weight"].copy()
        moved[place] += sign * nudge
        live.install(
            type(agent_state)(
                agent_state.genome, {**agent_state.parameters, "policy.0.weight": moved}, {}
            )
        )
        losses.append(_loss(live.look()))
    assert (losses[0] - losses[1]) / (2 * nudge) == pytest.approx(gradient[place], rel=0.05)


def test_gradmax_units_have_a_larger_gradient_than_random_ones_of_the_same_length():
    _, live = alive(Architecture((Layer("dense", 8), Layer("dense", 6))))
    steep = new_row_gradients(live, WidenGradmax(0, 3))
    agent_state, rng = live.agent_state(), np.random.default_rng(0)
    grown = WidenGradmax(0, 3).apply_seeing(agent_state, rng, evidence(live))
    plain = []
    for seed in range(20):
        parameters = dict(grown.parameters)
        for tower in _TOWERS:
            out = parameters[f"{tower}.1.weight"].copy()
            drawn = np.random.default_rng(seed).standard_normal((6, 3)).astype(np.float32)
            out[:, -3:] = drawn / np.linalg.norm(drawn, axis=0) * np.linalg.norm(out[:, -1])
            parameters[f"{tower}.1.weight"] = out
        live.install(type(agent_state)(grown.genome, parameters, {}))
        rows = [live.look().gradients()[f"{t}.0.weight"][-3:] for t in _TOWERS]
        plain.append(np.sqrt(sum(np.square(each).sum() for each in rows)))
        live.install(agent_state)
    assert steep > max(plain)


def test_gradmax_changes_no_output_and_refuses_a_rectifier():
    _, live = alive(Architecture((Layer("dense", 8), Layer("dense", 6))))
    seen, was = live.recent_observations(64), live.logits(live.recent_observations(64))
    live.install(
        WidenGradmax(0, 3).apply_seeing(
            live.agent_state(), np.random.default_rng(0), evidence(live)
        )
    )
    assert np.abs(live.logits(seen) - was).max() < 1e-5
    _, relu = alive(Architecture((Layer("dense", 8),), "relu"))
    with pytest.raises(RefusedEditError, match="rectifier"):
        WidenGradmax(0, 3).rewrite(relu.genome)


def test_units_without_outgoing_weight_have_gradients_of_it_at_once_and_of_incoming_ones_later():
    population, live = alive(Architecture((Layer("dense", 8),)))
    live.install(Widen(0, 3).apply(live.agent_state(), np.random.default_rng(0)))
    gradients = live.look().gradients()
    assert not gradients["policy.0.weight"][-3:].any()
    assert (np.abs(gradients["policy.head.weight"][:, -3:]).max(0) > 0).all()
    population.update()
    assert np.abs(live.look().gradients()["policy.0.weight"][-3:]).max() > 0


def test_edges_grow_where_the_loss_is_steepest_and_their_number_stays():
    _, live = alive(Architecture((Layer("dense", 12, density=0.4), Layer("dense", 6))))
    agent_state, name = live.agent_state(), "mask/policy.0.weight"
    gradient = np.abs(live.look().gradients()["policy.0.weight"])
    after = RegrowEdges(0, 0.25, "gradient").apply_seeing(
        agent_state, np.random.default_rng(0), evidence(live)
    )
    old, new = agent_state.buffers[name], after.buffers[name]
    come, stays_out = (new > old), (new == 0) & (old == 0)
    assert old.sum() == new.sum()
    assert come.sum() > 0
    assert gradient[come].min() >= gradient[stays_out].max()
    gone = old > new
    size = np.abs(agent_state.parameters["policy.0.weight"])
    assert size[gone].max() <= size[(old > 0) & ~gone].min()
    assert not after.parameters["policy.0.weight"][come].any()
    moments = after.moments["policy.0.weight"]
    assert not moments.first[come | gone].any()
    assert not moments.second[come | gone].any()


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize("to", ["sgd", "rmsprop", "adamw"])
def test_a_new_optimiser_is_offered_at_the_rate_that_keeps_the_next_step_as_long(to, engine):
    _, live = alive(Architecture((Layer("dense", 8),)), updates=6, engine=engine)
    view = View(live.effective(), 6, 0.0, 0.0, (), look=live.look(), **live.view())
    (edit,) = [each for each in SetOptimiser.candidates(view) if each.to == to]
    now = live.effective().learning_rule.learning_rate * live.look().step_length("adam")
    live.install(edit.apply(live.agent_state(), np.random.default_rng(0)))
    assert live.effective().learning_rule.optimiser == to
    before = live.agent_state().parameters
    _one_full_step(live)
    after = live.agent_state().parameters
    moved = np.sqrt(sum(np.square(after[n] - before[n]).sum() for n in before))
    assert 0.5 < moved / now < 2


def _loss(look):
    return look.loss() if hasattr(look, "loss") else float(look._loss().detach())


def _one_full_step(live):
    """One step on the very loss that was looked at, unclipped."""
    from dataclasses import replace

    live.stepper.adopt(replace(live.stepper.rule, max_grad_norm=1e6))
    look = live.look()
    if live.engine is None:
        live.stepper.step(live.policy, live.policy.optimizer, lambda: (look._loss(), ()), {})
        return
    with live.engine.learning(live.policy.optimizer, live.engine.towers):
        live.engine.step(live.stepper, look.observations, look._head)
