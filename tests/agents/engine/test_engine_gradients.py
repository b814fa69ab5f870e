"""Gradients by hand against torch's, taken in double precision, on up to 200 random networks."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from agents.algorithms.ppo_start import build_learner
from agents.engine.losses import Steps, normalised
from agents.engine.updates import a2c_head, ppo_head
from agents.genome import Genome, learning_rule
from tests.agents.engine.random_networks import (
    SUPPORTED,
    kinds_of,
    random_architecture,
    shaken,
    torch_towers,
)
from tests.agents.learning_kinds import SETTINGS, STREAMED, population
from tests.agents.small_worlds import CHOICES, SIZE

NETWORKS = {"ppo": 200}  # the others have the same passes, and 60 each
CLOSE = 1e-5  # of a parameter's largest gradient, or of 1e-3 of the whole gradient's length
ROWS = 24


def a_learner(name, seed):
    """A learner of a random network, its weights moved, and the random stream."""
    rng = np.random.default_rng(seed)
    rule = SETTINGS[name].genome_rule()
    rule = learning_rule(rule if name == "dqn" else {**rule, "entropy_coefficient": 0.03})
    objective = (("extrinsic", 1.0),)
    if name == STREAMED:
        objective = (*objective, ("simhash", 0.5))
    genome = Genome(random_architecture(rng), rule, objective)
    learner = population(name, genome, engine="numpy").learners["agent"]
    shaken(learner, rng)
    return learner, rng


def some_steps(learner, rng, more):
    """Random steps; the old log probabilities are near the new ones, some beyond the clip range."""
    width = SIZE * learner.genome.architecture.history
    inputs = rng.standard_normal((ROWS, width)).astype(np.float32)
    actions = rng.integers(CHOICES, size=ROWS)
    columns = rng.standard_normal((4, ROWS)).astype(np.float32)
    logits = torch.tensor(learner.logits(inputs))
    log_prob = torch.log_softmax(logits, 1).numpy()[np.arange(ROWS), actions]
    old = (log_prob + 0.3 * columns[0]).astype(np.float32)
    at = actions * ROWS + np.arange(ROWS)
    return inputs, Steps(at, old, columns[1], columns[2], columns[3] if more else None), actions


def torch_loss(learner, towers, inputs, steps, actions, *, ratio):
    """The loss of PPO (or A2C), written anew in torch, in the towers' precision."""
    kind = next(towers["policy"].parameters()).dtype
    x = torch.tensor(inputs, dtype=kind)
    old, advantages, *returns = (
        torch.tensor(each, dtype=kind) for each in steps[1:] if each is not None
    )
    log_p = torch.log_softmax(towers["policy"](x), dim=1)
    chosen = log_p[torch.arange(len(x)), torch.tensor(actions)]
    entropy = -(log_p.exp() * log_p).sum(1).mean()
    policy = -(advantages * chosen).mean()
    if ratio:
        change, clip = torch.exp(chosen - old), learner.clip_range(1.0)
        held = change.clamp(1 - clip, 1 + clip)
        policy = -torch.min(advantages * change, advantages * held).mean()
    values = [each(x).flatten() for name, each in towers.items() if name != "policy"]
    errors = [functional.mse_loss(v, r) for v, r in zip(values, returns, strict=True)]
    return policy - learner.ent_coef * entropy + learner.vf_coef * sum(errors)


def gradients(loss, towers):
    loss.backward()
    return {
        f"{tower}.{name}": each.grad.numpy()
        for tower, module in towers.items()
        for name, each in module.named_parameters()
    }


def assert_same_gradients(engine, exact, single):
    """``exact``, ``single``: by autograd in double and in single precision.

    Where a network is ill-conditioned, four times the error of autograd itself is allowed.
    """
    vectors = engine.vectors
    whole = np.sqrt(sum(np.square(each).sum() for each in exact.values()))
    for name, each in exact.items():
        found = vectors.view(vectors.gradient, name)
        allowed = CLOSE * max(np.abs(each).max(), 1e-3 * whole)
        allowed = max(allowed, 4 * np.abs(single[name] - each).max())
        assert np.abs(found - each).max() <= allowed, name


@pytest.mark.parametrize("name", ["ppo", "a2c", STREAMED])
def test_gradients_of_rollout_learners_are_autograds(name):
    seen = Counter()
    for seed in range(NETWORKS.get(name, 60)):
        learner, rng = a_learner(name, seed)
        engine = learner.engine
        inputs, steps, actions = some_steps(learner, rng, name == STREAMED)
        head = a2c_head(learner, steps) if name == "a2c" else ppo_head(learner, steps)
        run = engine.pass_of(inputs)
        found = head(run.forward(inputs))
        run.backward(found.slopes)
        both = []
        for kind in (torch.float64, torch.float32):
            towers = torch_towers(learner, engine.towers, kind)
            loss = torch_loss(learner, towers, inputs, steps, actions, ratio=name != "a2c")
            assert found.value == pytest.approx(float(loss.detach()), rel=1e-5, abs=1e-5)
            both.append(gradients(loss, towers))
        assert_same_gradients(engine, *both)
        seen.update(kinds_of(learner.genome.architecture))
    assert set(seen) == set(SUPPORTED)
    assert min(seen.values()) >= 15, "a kind that says it is supported is hardly covered"


def test_gradients_of_dqn_are_autograds():
    for seed in range(60):
        learner, rng = a_learner("dqn", seed)
        width = SIZE * learner.genome.architecture.history
        inputs, following = rng.standard_normal((2, ROWS, width)).astype(np.float32)
        actions = rng.integers(CHOICES, size=ROWS)
        rewards = 2 * rng.standard_normal(ROWS).astype(np.float32)
        ended = (rng.random(ROWS) < 0.3).astype(np.float32)
        arrays = (inputs, actions, following, rewards, ended)
        minibatch = _minibatch(*map(torch.from_numpy, arrays))
        run = learner.engine.pass_of(inputs)
        found = learner._head(learner.engine, minibatch)(run.forward(inputs))
        run.backward(found.slopes)
        both = []
        for kind in (torch.float64, torch.float32):
            towers = torch_towers(learner, ["q", "target_q"], kind)
            with torch.no_grad():
                ahead = towers.pop("target_q")(torch.tensor(following, dtype=kind)).max(1)[0]
            left = learner.genome.learning_rule.discount * (1 - torch.tensor(ended, dtype=kind))
            taken = towers["q"](torch.tensor(inputs, dtype=kind))[torch.arange(ROWS), actions]
            loss = functional.smooth_l1_loss(
                taken, torch.tensor(rewards, dtype=kind) + left * ahead
            )
            assert found.value == pytest.approx(float(loss.detach()), rel=1e-5, abs=1e-6)
            both.append(gradients(loss, towers))
        assert_same_gradients(learner.engine, *both)


def _minibatch(*columns):
    from agents.algorithms.off_policy import Minibatch

    return Minibatch(*columns)


@pytest.mark.parametrize("size", [1, 5, 24, 100])
def test_advantages_are_normalised_as_torch_does_it_minibatch_by_minibatch(size):
    given = np.random.default_rng(size).standard_normal(49).astype(np.float32)
    wanted = [
        (part - part.mean()) / (part.std() + 1e-8) if len(part) > 1 else part
        for part in torch.split(torch.tensor(given), size)
    ]
    assert np.allclose(normalised(given, size), torch.cat(wanted), atol=1e-6)


def test_equal_advantages_are_normalised_to_zero():
    assert not normalised(np.full(12, 3.25, np.float32), 4).any()


def test_the_border_of_the_clip_range_still_has_a_gradient():
    """At a ratio of exactly 1 + clip (here 1.25, a binary fraction) torch's clamp lets it pass."""
    learner, rng = a_learner("ppo", 3)
    learner.clip_range = lambda _: 0.25
    inputs, steps, actions = some_steps(learner, rng, more=False)
    run = learner.engine.pass_of(inputs)
    outputs = run.forward(inputs)
    head = ppo_head(learner, steps)
    log_prob = _log_prob(outputs[0], actions)
    on_border = steps._replace(
        old_log_prob=(log_prob - np.log(np.float32(1.25))).astype(np.float32),
        advantages=np.ones(ROWS, np.float32),
    )
    ratio = np.exp(log_prob - on_border.old_log_prob)
    found = ppo_head(learner, on_border)(outputs)
    inside = ratio <= np.float32(1.25)
    by_action = found.slopes[0][actions, np.arange(ROWS)]
    entropy_only = head(outputs)
    assert inside.any()
    assert entropy_only.slopes[0].shape == found.slopes[0].shape
    assert (np.abs(by_action[inside]) > 1e-3).all()


def _log_prob(logits, actions):
    shifted = logits - logits.max(0)
    return (shifted - np.log(np.exp(shifted).sum(0)))[actions, np.arange(logits.shape[1])]


def test_a_kind_without_a_pass_cannot_be_asked_of_the_engine():
    from agents.genome import Architecture, Layer

    genome = Genome(Architecture((Layer("mixture", 6, count=2),)))
    for asked, wanted in (("auto", "torch"), ("torch", "torch")):
        assert population("ppo", genome, engine=asked).learners["agent"].engine_name == wanted
    with pytest.raises(ValueError, match="engine numpy cannot run layers of kind mixture"):
        population("ppo", genome, engine="numpy")
    live = population("ppo", replace(genome, architecture=Architecture())).learners["agent"]
    state = population("ppo", genome).learners["agent"].agent_state()
    before = live.agent_state()
    with pytest.raises(ValueError, match="engine numpy cannot run layers of kind mixture"):
        live.install(state)
    assert live.agent_state().genome == before.genome
    assert build_learner.__kwdefaults__["engine"] == "auto"
