"""Updates of the engine against torch's own: optimisers, hooks, masks, new units, early stops."""

import subprocess
import sys
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.edits.widen_net2net import WidenNet2net
from agents.genome import Architecture, Genome, Layer, LearningRule
from tests.agents.agent_states import same
from tests.agents.learning_kinds import ALL, STREAMED, after_updates, population
from tests.agents.small_worlds import SIZE, solo

RULE = LearningRule(learning_rate=3e-3, minibatch=24, epochs=2)
PLAIN = Architecture((Layer("dense", 9), Layer("dense", 7)))
RULES = {
    "adam": {},
    "adam with decay": {"weight_decay": 0.1},
    "adamw": {"optimiser": "adamw", "weight_decay": 0.1},
    "sgd": {"optimiser": "sgd", "learning_rate": 0.1},
    "sgd with momentum": {"optimiser": "sgd", "momentum": 0.8, "learning_rate": 0.05},
    "rmsprop": {"optimiser": "rmsprop", "learning_rate": 1e-3},
    "rmsprop with momentum": {"optimiser": "rmsprop", "momentum": 0.5, "learning_rate": 1e-3},
    "sharpness": {"sam_radius": 0.05, "sam_mix": 0.7},
    "units replaced": {"replacement_rate": 0.05, "maturity": 2},
    "a last minibatch of one step": {"minibatch": 21},
    "stopped by the KL": {"target_kl": 1e-6, "epochs": 5},
    "tightly clipped": {"max_grad_norm": 1e-3},
}


def pair(genome, **more):
    return [solo(genome, engine=engine, **more) for engine in ("numpy", "torch")]


def assert_close(numpy_one, torch_one, most=1e-5):
    left, right = (each.learners["agent"].agent_state() for each in (numpy_one, torch_one))
    assert set(left.moments) == set(right.moments)
    for name, each in left.parameters.items():
        assert np.abs(each - right.parameters[name]).max() <= most, name
    for name, moment in left.moments.items():
        other = right.moments[name]
        assert moment.step == other.step
        assert np.allclose(moment.first, other.first, atol=most), name
        assert np.allclose(moment.second, other.second, atol=most), name


@pytest.mark.parametrize("name", RULES)
def test_an_update_is_torchs(name):
    ours, theirs = pair(Genome(PLAIN, replace(RULE, **RULES[name])))
    for _ in range(2):
        one, other = ours.update()["agent"], theirs.update()["agent"]
        assert one.losses.keys() == other.losses.keys()
        for key, value in one.losses.items():
            assert value == pytest.approx(other.losses[key], rel=1e-4, abs=1e-5), key
        assert one.flops == other.flops
    assert_close(ours, theirs)


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop", "sgd"])
def test_masked_weights_stay_zero_and_the_rest_is_torchs(optimiser):
    layers = (Layer("dense", 12, density=0.4), Layer("dense", 10, density=0.6))
    rule = replace(RULE, optimiser=optimiser, momentum=0.0 if optimiser == "adam" else 0.5)
    ours, theirs = pair(Genome(Architecture(layers), rule))
    for _ in range(2):
        ours.update(), theirs.update()
    assert_close(ours, theirs)
    state = ours.learners["agent"].agent_state()
    for name, mask in state.buffers.items():
        assert not state.parameters[name.removeprefix("mask/")][mask == 0].any()


def test_units_that_an_edit_has_added_have_bias_corrections_of_their_own():
    populations = pair(Genome(PLAIN, RULE))
    for each in populations:
        each.update()
        live = each.learners["agent"]
        state = WidenNet2net(0, 3).apply(live.agent_state(), np.random.default_rng(0))
        fresh = {k: v for k, v in state.moments.items() if not k.endswith("0.weight")}
        live.install(replace(state, moments=fresh))
        each.update()
    assert_close(*populations)
    steps = {m.step for m in populations[0].learners["agent"].agent_state().moments.values()}
    assert len(steps) == 2


@pytest.mark.parametrize("name", [*ALL[:3], STREAMED])
def test_each_learner_learns_the_same_under_both_engines(name):
    reports = {}
    for engine in ("numpy", "torch"):
        one, learner = after_updates(name, 4, engine=engine)
        assert learner.engine_name == engine
        reports[engine] = one.update()["agent"], learner.agent_state()
    (left, after), (right, other) = reports["numpy"], reports["torch"]
    assert left.losses == pytest.approx(right.losses, rel=1e-3, abs=1e-4)
    for key, each in after.parameters.items():
        assert np.abs(each - other.parameters[key]).max() < 1e-4, key


def test_a_second_stream_that_is_not_trained_is_left_as_it_is():
    silent = {"objectives": {**_both()}}
    genome = replace(_streamed(), objective=(("extrinsic", 1.0), ("simhash", 0.0)))
    one = population(STREAMED, genome, engine="numpy", **silent)
    learner = one.learners["agent"]
    before = learner.agent_state()
    one.update()
    after = learner.agent_state()
    assert learner.engine.towers == ("policy", "value")
    for name, each in before.parameters.items():
        assert np.array_equal(each, after.parameters[name]) == name.startswith("intrinsic_value")
    assert not any(name.startswith("intrinsic_value") for name in after.moments)


def test_a_stream_whose_weight_becomes_positive_is_trained_from_then_on():
    genome = replace(_streamed(), objective=(("extrinsic", 1.0), ("simhash", 0.0)))
    finals = []
    for engine in ("numpy", "torch"):
        one = population(STREAMED, genome, engine=engine)
        one.update()
        live = one.learners["agent"]
        trained = replace(genome, objective=(("extrinsic", 1.0), ("simhash", 0.5)))
        live.install(replace(live.agent_state(), genome=trained))
        one.update()
        finals.append(live.agent_state())
    left, right = finals
    assert left.moments["intrinsic_value.head.bias"].step < left.moments["value.head.bias"].step
    for name, each in left.parameters.items():
        assert np.abs(each - right.parameters[name]).max() < 1e-5, name


def _both():
    from tests.agents.learning_kinds import _DRIVES

    return _DRIVES[STREAMED]


def _streamed():
    from tests.agents.learning_kinds import a_genome

    return a_genome(STREAMED)


# --- one memory -----------------------------------------------------------------------------------


def test_torch_and_the_engine_share_one_memory():
    one = solo(Genome(PLAIN, RULE), engine="numpy")
    one.update()
    live = one.learners["agent"]
    vectors, optimizer = live.engine.vectors, live.policy.optimizer
    for name, parameter in live.policy.named_parameters():
        place = vectors.view(vectors.weights, name).ctypes.data
        assert parameter.data_ptr() == place
        state = optimizer.state[parameter]
        assert state["exp_avg"].data_ptr() == vectors.view(vectors.first, name).ctypes.data
        assert state["exp_avg_sq"].data_ptr() == vectors.view(vectors.second, name).ctypes.data
        assert float(state["step"]) == 6.0


def test_the_policy_in_hand_predicts_as_stable_baselines3_does():
    one = solo(Genome(PLAIN, RULE), engine="numpy")
    for _ in range(2):
        one.update()
    live, seen = one.learners["agent"], np.random.default_rng(0).standard_normal((40, SIZE))
    seen = seen.astype(np.float32)
    actions, _ = live.policy.predict(seen, deterministic=True)
    assert np.array_equal(actions, live.logits(seen).argmax(1))
    with torch.no_grad():
        values = live.policy.predict_values(torch.tensor(seen)).numpy()[:, 0]
        logits = live.policy.get_distribution(torch.tensor(seen)).distribution.logits.numpy()
    assert np.allclose(values, live.values(seen), atol=1e-5)
    mine = live.logits(seen)
    assert np.allclose(logits, mine - np.log(np.exp(mine).sum(1, keepdims=True)), atol=1e-5)


def _reload(live):
    live.policy.load_state_dict(live.policy.state_dict())
    live.policy.optimizer.load_state_dict(live.policy.optimizer.state_dict())


def _move(live):
    for parameter in live.policy.parameters():
        parameter.data = parameter.data.clone()


def test_new_tensors_are_used_from_the_next_rollout_on():
    live = solo(Genome(PLAIN, RULE), engine="numpy").learners["agent"]
    seen = np.random.default_rng(0).standard_normal((9, SIZE)).astype(np.float32)
    for parameter in live.policy.parameters():
        parameter.data = torch.zeros_like(parameter.data)
    live.begin()
    assert not live.logits(seen).any()
    assert not live.values(seen).any()


def test_steps_that_torchs_optimiser_has_made_are_counted():
    live = solo(Genome(PLAIN, RULE), engine="numpy").learners["agent"]
    optimizer = live.policy.optimizer
    for parameter in live.policy.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    with live.engine.learning(optimizer, live.engine.towers):
        assert set(live.engine._optimiser.counts) == {1.0}
        assert np.allclose(live.engine.vectors.first, 0.1)


@pytest.mark.parametrize("meddle", [_reload, _move])
def test_tensors_that_were_put_in_place_of_the_views_are_taken_over(meddle):
    plain, meddled = (solo(Genome(PLAIN, RULE), engine="numpy") for _ in range(2))
    for one in (plain, meddled):
        one.update()
    meddle(meddled.learners["agent"])
    for one in (plain, meddled):
        one.update()
    assert same(plain.learners["agent"].agent_state(), meddled.learners["agent"].agent_state())


def test_an_optimiser_that_was_cleared_begins_anew():
    one, other = pair(Genome(PLAIN, RULE))
    for each in (one, other):
        each.update()
        each.learners["agent"].policy.optimizer.state.clear()
        each.update()
    assert_close(one, other)


@pytest.mark.parametrize(("first", "then"), [("numpy", "torch"), ("torch", "numpy")])
def test_an_agent_saved_under_one_engine_goes_on_under_the_other(first, then):
    through = solo(Genome(PLAIN, RULE), engine=first)
    for _ in range(3):
        through.update()
    data, arrays = through.snapshot()
    env = deepcopy(through._env)
    other = solo(Genome(PLAIN, RULE), engine=then)
    other.resume(env, data, arrays)
    through.update(), other.update()
    left, right = (each.learners["agent"].agent_state() for each in (through, other))
    assert not same(left, right)
    for name, each in left.parameters.items():
        assert np.abs(each - right.parameters[name]).max() < 1e-4, name


# --- the same bits --------------------------------------------------------------------------------

_RUN = """
import hashlib, numpy as np
from agents.genome import Architecture, Genome, Layer, LearningRule
from tests.agents.small_worlds import solo
genome = Genome(Architecture((Layer("dense", 128), Layer("norm", 128), Layer("dense", 96))),
                LearningRule(minibatch=256))
one = solo(genome, steps=32, num_envs=64, engine="numpy")
one.update()
state = one.learners["agent"].agent_state()
print(hashlib.sha256(b"".join(v.tobytes() for v in state.parameters.values())).hexdigest())
"""


def test_one_and_two_threads_give_the_same_bits(monkeypatch):
    """More weights than BLAS would keep in one thread, and products that it does share."""
    found = set()
    for threads in ("1", "2"):
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            monkeypatch.setenv(name, threads)
        found.add(
            subprocess.run([sys.executable, "-c", _RUN], capture_output=True, check=True).stdout
        )
    assert len(found) == 1
