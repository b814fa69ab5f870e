"""The supervised learner learns the labels given, step for step by the book, and can be edited."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

import envs
from agents.algorithms.supervised_loop import label_actions
from agents.architecture import checkpoint
from agents.contract import EditEvidence, RefusedEditError
from agents.edits.reset_dormant import ResetDormant
from agents.edits.widen import Widen
from agents.genome import Architecture, Genome, Layer, learning_rule
from agents.learners.supervised import Supervised
from agents.objectives.extrinsic import Extrinsic
from envs.faces.gymnasium import BatchFace
from tests.agents.agent_states import same
from tests.agents.small_worlds import Signpost, streams

LAYERS = (Layer("dense", 16), Layer("dense", 12))
TASK = {"inputs": 24, "classes": 4, "points": 4, "horizon": 8}


def training(seed=0, layers=LAYERS, world=TASK, **settings):
    given = {"learning_rate": 3e-3, "num_envs": 16, "minibatch": 16, "epochs": 5, **settings}
    learner = Supervised(**given)
    genome = Genome(Architecture(tuple(layers), "relu"), learning_rule(learner.genome_rule()))
    env = BatchFace(envs.make_world("random_labels", **world), 16)
    env.rng = np.random.default_rng(seed)
    return learner.build(env, {"agent": genome}, {"extrinsic": Extrinsic()}, streams(seed))


def test_it_learns_the_task_by_heart_and_says_so():
    population = training(epochs=60)
    first, second = (population.update()["agent"] for _ in range(2))
    assert first.losses["loss"] > second.losses["loss"]
    assert second.losses["accuracy"] > 0.95
    assert (first.episodes, second.episodes) == (0, 16)
    assert second.mean_return > 4  # half of a task was answered after half a task of training
    assert first.steps == 64


def test_one_step_is_cross_entropy_and_adam_by_the_book():
    population = training(epochs=1, minibatch=64, max_grad_norm=1e6)
    live = population.learners["agent"]
    before = live.agent_state()
    population.update()
    seen, labels = (torch.from_numpy(each) for each in live._rows)
    weights = {k: torch.tensor(v, requires_grad=True) for k, v in before.parameters.items()}
    hidden = seen
    for i in range(2):
        hidden = torch.relu(hidden @ weights[f"policy.{i}.weight"].T + weights[f"policy.{i}.bias"])
    out = hidden @ weights["policy.head.weight"].T + weights["policy.head.bias"]
    functional.cross_entropy(out, labels).backward()
    optimizer = torch.optim.Adam(weights.values(), lr=3e-3, eps=1e-5)
    optimizer.step()
    after = live.agent_state().parameters
    assert set(after) == set(weights)  # one tower, no value
    for name, each in weights.items():
        assert after[name] == pytest.approx(each.detach().numpy(), abs=2e-6)


def test_the_same_seed_gives_the_same_run():
    one, other = training(3, replacement_rate=0.01), training(3, replacement_rate=0.01)
    for _ in range(3):
        assert one.update() == other.update()
    first, second = (each.learners["agent"].agent_state() for each in (one, other))
    assert all(np.array_equal(v, second.parameters[k]) for k, v in first.parameters.items())
    assert all(np.array_equal(v, second.buffers[k]) for k, v in first.buffers.items())
    assert {"utility/policy.0", "age/policy.1"} <= set(first.buffers)


def test_reinstalling_its_own_agent_state_changes_nothing_that_follows():
    one, other = (training(4, replacement_rate=0.01, pull_to_birth=0.01) for _ in range(2))
    for population in (one, other):
        population.update()
    live = other.learners["agent"]
    assert live.effective() == live.agent_state().genome
    live.install(live.agent_state())
    assert one.update() == other.update()


@pytest.mark.parametrize("begun", [True, False])
def test_it_goes_on_from_a_snapshot_to_the_bit(begun):
    settings = {"replacement_rate": 0.02, "maturity": 5, "pull_to_birth": 0.01}
    one, other = training(4, **settings), training(5, **settings)
    for _ in range(3 * begun):
        one.update()
    data, arrays = one.snapshot()
    saved = json.loads(json.dumps(data)), checkpoint.unpack(checkpoint.pack(arrays))
    other.resume(copy.deepcopy(one._env), *saved)
    for _ in range(3):
        assert one.update() == other.update()
    first, second = (each.learners["agent"] for each in (one, other))
    assert same(first.agent_state(), second.agent_state())
    assert np.array_equal(first.look().observations, second.look().observations)


def test_the_snapshot_of_a_larger_class_is_refused():
    data, arrays = training().snapshot()
    arrays = {**arrays, "running/returns": np.zeros(3)}
    with pytest.raises(ValueError, match="other sizes"):
        training().learners["agent"].resume(data, arrays)


def test_it_goes_on_after_it_grew():
    population = training()
    population.update()
    live = population.learners["agent"]
    seen = live.recent_observations(64)
    before, agent_state = live.logits(seen), live.agent_state()
    live.install(Widen(layer=0, units=4).apply(agent_state, np.random.default_rng(0)))
    assert live.logits(seen) == pytest.approx(before, abs=1e-5)
    assert live.effective().architecture.layers[0].units == 20
    assert np.isfinite(population.update()["agent"].losses["loss"])


def test_an_agent_state_of_another_rule_is_refused():
    live = training().learners["agent"]
    agent_state = live.agent_state()
    other = replace(agent_state, genome=Genome(agent_state.genome.architecture))
    with pytest.raises(ValueError, match=r"value\.0\.weight|another learning rule"):
        live.install(other)


def test_a_gradient_that_is_not_finite_ends_the_run_with_a_reason():
    population = training(learning_rate=1.0, epochs=100)
    live = population.learners["agent"]
    agent_state = live.agent_state()
    huge = {k: v * np.float32(1e30) for k, v in agent_state.parameters.items()}
    live.install(replace(agent_state, parameters=huge))
    with pytest.raises(FloatingPointError, match=r"update 1: non-finite .* \(learning rate 1\)"):
        population.update()


def test_dormant_units_are_counted_without_the_norms():
    layers = (Layer("dense", 6), Layer("norm", 6), Layer("dense", 6))
    population = training(layers=layers)
    live = population.learners["agent"]
    agent_state = live.agent_state()
    biases = {"policy.0.bias": np.float32([-99] * 3 + [9] * 3)}
    biases["policy.2.bias"] = np.float32([99] * 6)
    live.install(replace(agent_state, parameters={**agent_state.parameters, **biases}))
    report = population.update()["agent"]
    assert report.losses["dormant_share"] == pytest.approx(3 / 12)


def test_all_dormant_units_are_reset_at_once_and_no_other():
    population = training()
    live = population.learners["agent"]
    agent_state = live.agent_state()
    dormant = {"policy.0.bias": [1, 5], "policy.1.bias": [0, 7, 8]}
    awake = {"policy.0.bias": 3, "policy.1.bias": 999}  # more than could come from below
    biases = {name: agent_state.parameters[name] + np.float32(awake[name]) for name in dormant}
    for name, units in dormant.items():
        biases[name][units] = -999
    live.install(replace(agent_state, parameters={**agent_state.parameters, **biases}))
    population.update()
    agent_state, rng = live.agent_state(), np.random.default_rng(0)
    edit = ResetDormant(layer=-1, tower="all")
    after = edit.apply_seeing(agent_state, rng, EditEvidence(live.look(), None))
    for name, units in dormant.items():
        changed = np.flatnonzero(after.parameters[name] != agent_state.parameters[name])
        assert changed.tolist() == units
        assert (after.parameters[name][units] == 0).all()


def test_where_no_unit_is_dormant_nothing_is_reset():
    population = training(layers=(Layer("dense", 5),))
    live = population.learners["agent"]
    agent_state = live.agent_state()
    awake = {**agent_state.parameters, "policy.0.bias": np.full(5, 9, np.float32)}
    live.install(replace(agent_state, parameters=awake))
    population.update()
    with pytest.raises(RefusedEditError, match="no unit is dormant"):
        ResetDormant(layer=-1).apply_seeing(
            live.agent_state(), np.random.default_rng(0), EditEvidence(live.look(), None)
        )


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (ResetDormant(layer=-1, units=(1,)), "layer -1 finds its units itself: name none"),
        (ResetDormant(layer=-1, tower="value"), "tower is policy or all, not 'value'"),
        (ResetDormant(layer=-2, units=(1,)), "there is no layer -2"),
        (ResetDormant(units=(1,), tower="all"), "tower is policy, not 'all'"),
    ],
)
def test_what_cannot_be_reset_is_refused(edit, reason):
    with pytest.raises(RefusedEditError, match=reason):
        edit.rewrite(training().learners["agent"].genome)


def test_before_anything_was_learned_nothing_can_be_found_dormant():
    live = training().learners["agent"]
    assert live.look() is None
    seen = live.agent_state(), np.random.default_rng(0), EditEvidence(live.look(), None)
    with pytest.raises(RefusedEditError, match="no rollout to look at"):
        ResetDormant(layer=-1).apply_seeing(*seen)


def test_an_env_without_labels_is_refused_in_one_line():
    learner = Supervised(num_envs=8)
    genome = Genome(Architecture((Layer("dense", 4),)), learning_rule(learner.genome_rule()))
    population = learner.build(Signpost(), {"agent": genome}, {"extrinsic": Extrinsic()}, streams())
    with pytest.raises(ValueError, match="gives no labels"):
        population.update()


def test_the_labels_of_ended_copies_are_found_where_gymnasium_puts_it():
    ended = {"label": np.array([0, 0, 2]), "_label": np.array([False, False, True])}
    info = {"label": np.array([1, 3, 0]), "_label": np.array([True, True, False])}
    assert label_actions({**info, "final_info": ended}, 3).tolist() == [1, 3, 2]
    with pytest.raises(ValueError, match="gives no labels"):
        label_actions(info, 3)
