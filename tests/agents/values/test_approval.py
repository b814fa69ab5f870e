"""Value models that learn from approval: what is planted is found, and doubt is what it says."""

import math
from itertools import pairwise

import numpy as np
import pytest

from agents.contract import Batch
from agents.values.approval import Approval
from agents.values.bayesian_approval import BayesianApproval
from agents.values_contract import Evidence

SIZE, ACTIONS = 4, 3
TABLE = np.array([[0, 1, -1], [2, 0, 0.5], [-2, 1, 0], [0, 0, 3.0]])


def everything():
    """Each state with each action once."""
    state, action = np.indices((SIZE, ACTIONS)).reshape(2, -1)
    return a_batch(state, action)


def a_batch(state, action, approval=None):
    seen = np.eye(SIZE, dtype=np.float32)[state]
    none = np.zeros(action.shape, bool)
    return Batch(seen, action, seen, np.zeros(action.shape), none, none, approval=approval)


def approved(seed, steps=40, noise=0.0, n=8):
    rng = np.random.default_rng(seed)
    state, action = rng.integers(0, SIZE, (steps, n)), rng.integers(0, ACTIONS, (steps, n))
    shown = TABLE[state, action] + noise * rng.standard_normal((steps, n))
    return Evidence(a_batch(state, action, shown))


def begun(model, seed=0):
    return model.start(SIZE, ACTIONS, np.random.default_rng(seed))


def believed(valuer):
    return valuer.reward(everything()).reshape(SIZE, ACTIONS)


@pytest.mark.parametrize("model", [Approval(), BayesianApproval()], ids=["network", "bayesian"])
def test_a_model_without_evidence_finds_nothing_worth_anything(model):
    valuer = begun(model)
    silent = approved(0)
    valuer.learn(Evidence(a_batch(*np.zeros((2, 5, 2), int))))  # no approval at all
    silent.steps.approval[:] = np.nan  # no approval now
    valuer.learn(silent)

    np.testing.assert_array_equal(believed(valuer), 0)


@pytest.mark.parametrize(
    ("model", "close"),
    [
        (Approval(epochs=30), 0.05),
        (BayesianApproval(prior=10.0, noise=0.1), 1e-3),
        (BayesianApproval(prior=10.0, noise=0.1, most_features=19), 0.05),
    ],
    ids=["network", "products", "random features"],
)
def test_a_planted_table_is_found(model, close):
    valuer = begun(model)
    for seed in range(8):
        valuer.learn(approved(seed))

    np.testing.assert_allclose(believed(valuer), TABLE, atol=close)


def test_silent_steps_train_nothing():
    """The same samples, with silent steps between them: the same belief to rounding."""
    one, other = (begun(BayesianApproval()) for _ in range(2))
    whole = approved(0)
    quiet = approved(0)
    quiet.steps.approval[::2] = np.nan
    rollout = quiet.steps
    answered = Evidence(a_batch(rollout.observation[1::2].argmax(2), rollout.action[1::2],
                             whole.steps.approval[1::2]))  # fmt: skip
    one.learn(quiet)
    other.learn(answered)

    np.testing.assert_allclose(believed(one), believed(other), rtol=1e-12)


def features(batch):
    """1, state, action and their products, by hand: ``[n, (1 + SIZE) * (1 + ACTIONS)]``."""
    state = np.column_stack([np.ones(len(batch.action)), batch.observation])
    action = np.column_stack([np.ones(len(batch.action)), np.eye(ACTIONS)[batch.action]])
    return np.einsum("ni,nj->nij", state, action).reshape(len(state), -1)


def rows(evidence):
    rollout = evidence.steps
    return a_batch(rollout.observation.argmax(2).ravel(), rollout.action.ravel(),
                   rollout.approval.ravel())  # fmt: skip


def test_the_posterior_is_the_textbooks():
    """Bishop 2006, eq. 3.50-3.51, with a matrix inverted; learned in two parts or in one."""
    prior, noise = 0.7, 0.3
    valuer = begun(BayesianApproval(prior=prior, noise=noise))
    samples = [approved(seed, noise=0.3) for seed in range(2)]
    for each in samples:
        valuer.learn(each)
    f = np.concatenate([features(rows(each)) for each in samples])
    y = np.concatenate([rows(each).approval for each in samples])
    spread = np.linalg.inv(np.eye(f.shape[1]) / prior**2 + f.T @ f / noise**2)
    mean = spread @ f.T @ y / noise**2

    np.testing.assert_allclose(valuer.state_dict()["mean"], mean, atol=1e-10)
    np.testing.assert_allclose(believed(valuer).ravel(), features(everything()) @ mean, atol=1e-10)
    doubt = np.linalg.slogdet(np.eye(len(mean)) + spread / noise**2)[1] / 2
    assert valuer.doubt() == pytest.approx(doubt, rel=1e-12)


def test_doubt_begins_at_the_priors_and_falls_with_every_sample():
    valuer = begun(BayesianApproval(prior=2.0, noise=0.5))
    width = (1 + SIZE) * (1 + ACTIONS)
    found = [valuer.doubt()]
    assert found[0] == pytest.approx(width * math.log(1 + 16) / 2, rel=1e-12)
    for seed in range(5):
        valuer.learn(approved(seed))
        found.append(valuer.doubt())

    assert all(after < before for before, after in pairwise(found))
    assert found[-1] > 0


def test_doubt_stays_about_what_was_never_met():
    """Action 0 alone was tried: the weights of the others are as initialised."""
    one = approved(0)
    one.steps.action[:] = 0
    valuer = begun(BayesianApproval(prior=1.0, noise=1.0))
    for _ in range(200):
        valuer.learn(one)
    never_met = (ACTIONS - 1) * (1 + SIZE)

    assert never_met * math.log(2) / 2 < valuer.doubt() < begun(BayesianApproval(noise=1.0)).doubt()


def test_a_rewrite_may_move_the_belief_and_not_how_sure_it_is():
    valuer = begun(BayesianApproval())
    valuer.learn(approved(0))
    doubt, sure = valuer.doubt(), valuer.state_dict()["precision"]
    valuer.import_parameters({"mean": np.zeros_like(valuer.transferable_parameters()["mean"])})

    assert list(valuer.transferable_parameters()) == ["mean"]
    np.testing.assert_array_equal(believed(valuer), 0)
    assert valuer.doubt() == doubt
    np.testing.assert_array_equal(valuer.state_dict()["precision"], sure)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Approval(minibatch=0), "minibatch is at least 1, not 0"),
        (lambda: Approval(learning_rate=math.inf), "learning_rate is a finite number above 0"),
        (lambda: BayesianApproval(noise=0.0), "noise is a finite number above 0, not 0"),
        (lambda: BayesianApproval(most_features=0), "most_features is at least 1, not 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
