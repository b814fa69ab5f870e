"""Learned objectives: gradients, formulas, scales, and what progress is."""

from dataclasses import replace

import numpy as np
import pytest

from agents.drives.features import DynamicsFeatures
from agents.drives.learned_drive import PresentSteps
from agents.models.perceptron import Perceptron, cross_entropy, loss
from agents.models.running_moments import ReturnScale
from agents.objectives.apt import Apt
from agents.objectives.compression_progress import CompressionProgress
from agents.objectives.count import Count
from agents.objectives.disagreement import Disagreement
from agents.objectives.e3b import E3b
from agents.objectives.icm import Icm
from agents.objectives.learning_progress import LearningProgress
from agents.objectives.ngu import Ngu
from agents.objectives.noveld import Noveld
from agents.objectives.re3 import Re3
from agents.objectives.ride import Ride
from agents.objectives.rnd import Rnd
from agents.objectives.simhash import Simhash
from agents.objectives.smirl import Smirl
from tests.agents.objectives.steps import at, rng, some

LEARNED = (
    Rnd, Icm, Disagreement, Ride, Ngu, E3b, Noveld, Re3, Apt, LearningProgress, CompressionProgress,
)  # fmt: skip
OURS = (*LEARNED, Count, Simhash, Smirl)


# --- gradients ---------------------------------------------------------------------------------


def slopes(values, measure, step=1e-6):
    """Central differences of ``measure()`` by every entry of ``values``, moved in place."""
    found = np.zeros(values.shape)
    for place in np.ndindex(values.shape):
        kept, sides = values[place], []
        for moved in (kept + step, kept - step):
            values[place] = moved
            sides.append(measure())
        values[place] = kept
        found[place] = (sides[0] - sides[1]) / (2 * step)
    return found


def exact(net, seed):
    """Float64 weights, biases that are not 0."""
    net.weights = [
        (w.astype(np.float64), rng(seed).standard_normal(b.shape)) for w, b in net.weights
    ]
    return net


@pytest.mark.parametrize("sizes", [(3, 4), (3, 5, 2), (4, 6, 5, 3)])
def test_gradients_of_inputs_are_those_of_finite_differences(sizes):
    net = exact(Perceptron(sizes, rng(1)), 2)
    inputs, targets = rng(3).standard_normal((6, sizes[0])), rng(4).standard_normal((6, sizes[-1]))
    looked = net.activations(inputs)
    found = net.backward(looked, 2 * (looked[-1] - targets) / targets.size)[1]

    expected = slopes(inputs, lambda: loss(net(inputs), targets).mean())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


def test_cross_entropy_and_its_gradient():
    logits, labels = rng(0).standard_normal((5, 4)), rng(1).integers(4, size=5)
    lost, delta = cross_entropy(logits, labels)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    np.testing.assert_allclose(lost, -np.log(shares[np.arange(5), labels]), rtol=1e-12)
    expected = slopes(logits, lambda: cross_entropy(logits, labels)[0] @ np.ones(5))
    np.testing.assert_allclose(delta, expected, rtol=1e-6, atol=1e-9)


def test_cross_entropy_of_huge_logits_is_finite():
    lost, delta = cross_entropy(np.array([[1e4, -1e4], [1e4, -1e4]]), np.array([0, 1]))

    np.testing.assert_array_equal(lost, [0, 2e4])
    assert np.isfinite(delta).all()


def a_dynamics(share, *, shapes=True):
    made = DynamicsFeatures(Icm(hidden=6, latent=4), 5, 3, rng(1), share=share, shapes=shapes)
    for seed, net in enumerate(made._nets):
        exact(net, seed)
    return made


def flat(rollout):
    steps = (rollout.observation, rollout.action, rollout.next_observation)
    return [each.reshape(-1, *each.shape[2:]) for each in steps]


def seen(rollout):
    before, action, after = flat(rollout)
    return PresentSteps(before.astype(np.float64), action, after.astype(np.float64))


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_gradients_of_dynamics_are_those_of_finite_differences(share):
    """Encoder, inverse model and forward model together, through both observations."""
    made, steps = a_dynamics(share), seen(some(rng(2), steps=3))
    for layer, gradient in zip(made._weights(), made.gradients(steps), strict=True):
        for value, found in zip(layer, gradient, strict=True):
            expected = slopes(value, lambda: made.loss(steps))

            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-8)


def test_a_forward_loss_that_does_not_shape_features_leaves_them_to_the_inverse_model():
    steps = seen(some(rng(2)))
    alone, apart, both = (
        a_dynamics(0.0).gradients(steps),
        a_dynamics(0.2, shapes=False).gradients(steps),
        a_dynamics(0.2).gradients(steps),
    )

    for mine, theirs in zip(alone[:2], apart[:2], strict=True):
        np.testing.assert_allclose(0.8 * mine[0], theirs[0], rtol=1e-6)
    assert not np.allclose(apart[0][0], both[0][0])
    for mine, theirs in zip(apart[4:], both[4:], strict=True):
        np.testing.assert_array_equal(mine[0], theirs[0])


# --- formulas ----------------------------------------------------------------------------------


def test_curiosity_gives_half_eta_times_the_squared_error_of_foresight():
    live_objective, rollout = Icm(eta=0.3, normaliser="none").start(5, 3, rng()), some(rng(1))
    live_objective.update(rollout)
    dynamics, step = live_objective._dynamics, at(rollout, 2)
    here, there = (
        dynamics.encoder(live_objective._whiten(x))
        for x in (step.observation, step.next_observation)
    )
    foreseen = dynamics.forward(np.concatenate([here, np.eye(3)[step.action]], axis=1))

    expected = 0.15 * np.square(foreseen - there).sum(axis=1)
    np.testing.assert_allclose(live_objective.reward(step), expected, rtol=1e-4)


@pytest.mark.parametrize("sample", [True, False])
def test_disagreement_gives_the_mean_variance_over_members(sample):
    settings = Disagreement(members=4, sample_variance=sample, normaliser="none")
    live_objective, rollout = settings.start(5, 3, rng()), some(rng(1))
    live_objective.update(rollout)
    step = at(rollout, 2)
    here = live_objective._features(live_objective._whiten(step.observation))
    known = np.concatenate([here, np.eye(3, dtype=np.float32)[step.action]], axis=1)
    said = np.stack([member(known) for member in live_objective._members])

    expected = said.var(axis=0, ddof=sample).mean(axis=1)
    np.testing.assert_allclose(live_objective.reward(step), expected, rtol=1e-3)


def test_members_learn_from_other_minibatches_and_all_learn():
    live_objective, rollout = Disagreement(members=3).start(5, 3, rng()), some(rng(1))
    for member in live_objective._members:  # alike, so that only their samples differ
        member.weights = [(w.copy(), b.copy()) for w, b in live_objective._members[0].weights]
    initial = live_objective._members[0].weights[0][0].copy()
    live_objective.update(rollout)
    weights = [member.weights[0][0] for member in live_objective._members]

    assert all(not np.array_equal(initial, each) for each in weights)
    assert len({each.tobytes() for each in weights}) == 3


@pytest.mark.parametrize("kind", LEARNED)
@pytest.mark.parametrize("normaliser", ["return_std", "raw_std", "none"])
def test_the_normaliser_divides_and_does_nothing_else(kind, normaliser):
    """Three runs alike but for the scale, which is the deviation of the rewards so far."""
    raw, scaled = (
        kind(normaliser=each, discount=0.9).start(5, 3, rng()) for each in ("none", normaliser)
    )
    filters = ReturnScale(0.9 if normaliser == "return_std" else 0.0)
    varied = False
    for update in range(8):
        rollout = some(rng(update))
        for t in range(16):
            plain, divided = raw.reward(at(rollout, t)), scaled.reward(at(rollout, t))
            if not scaled._updates:
                np.testing.assert_array_equal(divided, 0)
                continue
            rewards = divided * scaled._returns.scale
            np.testing.assert_allclose(rewards, plain, rtol=1e-9, atol=1e-12)
            varied |= bool(divided.any())
        raw.update(rollout)
        scaled.update(rollout)
        if normaliser == "none":
            assert scaled._returns.scale == 1.0
    assert varied
    assert (scaled._returns.scale != 1.0) == (normaliser != "none")
    assert filters.discount == (0.9 if normaliser == "return_std" else 0.0)


def test_a_scale_of_raw_rewards_is_their_deviation():
    scale, rewards = ReturnScale(0.99, "raw_std"), rng(0).standard_normal((30, 4))
    for each in rewards:
        scale.add(each)
    scale.commit()

    assert scale.scale == pytest.approx(rewards.std(), rel=1e-12)


def test_the_filter_of_who_has_left_waits():
    """Two environments, one of them gone for ten steps: as if those had not been."""
    one, other = ReturnScale(0.9), ReturnScale(0.9)
    for t in range(30):
        gone = 10 <= t < 20
        one.add(np.array([1.0, 2.0]), np.array([not gone, True]))
    for _ in range(20):
        other.add(np.array([1.0]))

    assert one._filter[0] == pytest.approx(other._filter[0], rel=1e-12)
    assert one._seen.count == 50


# --- who has left ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OURS)
def test_who_has_left_leaves_no_trace(kind):
    """Two runs that differ only in what rows show whose agent has left."""
    first, second = (kind().start(5, 3, rng()) for _ in range(2))
    chance = rng(7)
    for update in range(8):
        rollout = some(rng(update))
        present = chance.random((16, 4)) < 0.7
        rollout = replace(rollout, present=present)
        other = replace(
            rollout,
            observation=np.where(present[..., None], rollout.observation, 0.5),
            next_observation=np.where(present[..., None], rollout.next_observation, 0.25),
            action=np.where(present, rollout.action, 0),
        )
        for t in range(16):
            mine, theirs = first.reward(at(rollout, t)), second.reward(at(other, t))
            np.testing.assert_array_equal(mine[present[t]], theirs[present[t]])
        first.update(rollout)
        second.update(other)
    theirs = second.state_dict()
    for name, each in first.state_dict().items():
        np.testing.assert_array_equal(each, theirs[name])


@pytest.mark.parametrize("kind", OURS)
def test_a_rollout_without_present_steps_trains_nothing(kind):
    live_objective = kind().start(5, 3, rng())
    before = live_objective.state_dict()
    live_objective.update(replace(some(rng(1)), present=np.zeros((16, 4), bool)))

    for name, each in live_objective.state_dict().items():
        np.testing.assert_array_equal(each, before[name])


# --- learning and compression progress ---------------------------------------------------------


def test_learning_progress_is_the_older_errors_less_the_newer_ones_by_region():
    live_objective = LearningProgress(normaliser="none", bits=2, window=2).start(5, 3, rng())
    errors = []
    for update in range(7):
        rollout = some(rng(update))
        before, action, after = flat(rollout)
        known = np.concatenate([live_objective._whiten(before), np.eye(3)[action]], axis=1)
        if update:
            missed = loss(
                live_objective._model(known.astype(np.float32)), live_objective._whiten(after)
            )
            errors.append((live_objective._regions(before, action), missed))
        live_objective.update(rollout)
    step = at(some(rng(50)), 0)
    region = live_objective._regions(step.observation, step.action)

    def mean(rollouts, place):
        return np.concatenate([missed[regions == place] for regions, missed in rollouts]).mean()

    expected = [mean(errors[-4:-2], each) - mean(errors[-2:], each) for each in region]
    np.testing.assert_allclose(live_objective.reward(step), expected, rtol=1e-4, atol=1e-6)


def test_a_history_that_grows_alone_is_no_compression():
    """The model may not learn (its steps are too small for float32): every term is exactly 0."""
    for credit in ("step", "history"):
        settings = CompressionProgress(learning_rate=1e-30, normaliser="none", credit=credit)
        live_objective = settings.start(5, 3, rng())
        for update in range(5):
            rollout = some(rng(update))
            held = len(live_objective._history.steps.action)
            assert np.all([live_objective.reward(at(rollout, t)) == 0 for t in range(16)])
            live_objective.update(rollout)
            assert len(live_objective._history.steps.action) > held
            assert live_objective._saved.mean == 0


def test_both_models_are_scored_on_identical_data_and_the_terms_sum_to_the_whole():
    """In nats, by hand: the code of the same history by the model before and the model after."""
    settings = CompressionProgress(normaliser="none", deviation=0.5)
    live_objective = settings.start(5, 3, rng())
    live_objective.update(some(rng(0)))
    model_before = [(w.copy(), b.copy()) for w, b in live_objective._model.weights]
    live_objective.update(some(rng(1)))
    held = live_objective._history.steps
    known = np.concatenate([live_objective._whiten(held.before), np.eye(3)[held.action]], axis=1)
    after, nats = live_objective._whiten(held.after), []
    for weights in (model_before, live_objective._model.weights):
        net = Perceptron((8, 32, 5), rng())
        net.weights = weights
        density = -0.5 * np.square((after - net(known)) / 0.5) - np.log(0.5 * np.sqrt(2 * np.pi))
        nats.append(-density.sum())

    assert live_objective._saved.mean * len(after) == pytest.approx(nats[0] - nats[1], rel=1e-4)
    assert live_objective.progress(held).sum() == pytest.approx(nats[0] - nats[1], rel=1e-4)


def test_the_units_of_a_code_are_fixed_by_the_first_rollout():
    live_objective = CompressionProgress().start(5, 3, rng())
    live_objective.update(some(rng(0)))
    fixed = live_objective._whiten(np.ones((1, 5)))
    for seed in range(3):
        rollout = some(rng(seed))
        live_objective.update(replace(rollout, next_observation=9 * rollout.next_observation))

    np.testing.assert_array_equal(live_objective._whiten(np.ones((1, 5))), fixed)


def test_a_history_keeps_the_last_steps_held():
    live_objective = CompressionProgress(held=20, update_proportion=1.0).start(5, 3, rng())
    for update in range(3):
        rollout = some(rng(update))
        live_objective.update(rollout)

    assert len(live_objective._history.steps.action) == 20
    np.testing.assert_array_equal(live_objective._history.steps.after, flat(rollout)[2][-20:])


# --- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Icm(eta=0.0), "eta is a finite number above 0"),
        (lambda: Icm(forward_share=1.0), "forward_share is between 0 and 1"),
        (lambda: Disagreement(members=1), "one cannot disagree"),
        (lambda: LearningProgress(window=0), "window is at least 1"),
        (lambda: LearningProgress(bits=17), "bits is at most 16"),
        (lambda: CompressionProgress(deviation=0.0), "deviation is a finite number above 0"),
    ],
)
def test_settings_out_of_range_are_refused(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()
