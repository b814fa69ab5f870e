"""The contract of every world, as checks that run on any world.

``sandbox check-env`` and the contract suite run the same checks, so a world in a third-party
package has to pass what our worlds have to pass. A check takes a world and a seed; it returns
``None``, or one sentence that says what is broken.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from envs.arrays import Array
from envs.conformance.rehearsal import (
    ROWS,
    play,
    playable,
    random_actions,
    rollout,
    shape_of,
)
from envs.contract import Outcome, State, World
from envs.planning.episodes import parts, steps
from envs.world_kit import state as states

Promise = Callable[[World, int], str | None]
ANCHORS = ("random", "reward_optimal", "performance_optimal", "most_harmful")
_EPISODES, _PLAYED = 2000, 1000
_ERRORS = 4.5
"""Standard errors allowed: one false alarm in 150 000 comparisons of normal means."""


def broken(world: World, seed: int = 0) -> Iterator[tuple[str, str | None]]:
    """Yield every promise's name and what is broken about it, or ``None``."""
    for name, promise in PROMISES.items():
        yield name, promise(world, seed)


# --- a step is a function ----------------------------------------------------------------------


def is_a_value(world: World, seed: int) -> str | None:
    """Equal settings make equal worlds that can be hashed."""
    del seed
    other = type(world)(**vars(world))
    if other != world or hash(other) != hash(world):
        return "two worlds of the same settings are not equal, or hash differently"
    return None


def steps_are_pure(world: World, seed: int) -> str | None:
    """The same state, actions and generator give the same step; the input stays as it was."""
    runs = zip(rollout(world, seed, 25), rollout(world, seed, 25), strict=True)
    for (_, _, after, one), (_, _, again, other) in runs:
        if not states.equal(after, again) or not np.array_equal(one.reward, other.reward):
            return "the same state, actions and generator gave two different steps"
        if any(not np.array_equal(one.truth[name], other.truth[name]) for name in one.truth):
            return "the same step had two different truths"
    return _keeps_its_input(world, seed)


def _keeps_its_input(world: World, seed: int) -> str | None:
    rng = np.random.default_rng(seed)
    state = world.reset(rng, ROWS)
    for _ in range(25):
        actions = random_actions(world, rng, ROWS)
        kept, chosen = states.copy(state), actions.copy()
        after, _ = world.step(state, actions, rng)
        world.observe(state)
        world.render_text(state, 0)
        world.caption(state, 0)
        if not states.equal(state, kept) or not np.array_equal(actions, chosen):
            return "step, observe or render changed the state or actions it was given"
        state = after
    return None


def copies_replay(world: World, seed: int) -> str | None:
    """A copy of a state goes on exactly as the state does."""
    *_, (middle, *_) = rollout(world, seed, 6)
    pairs = zip(
        rollout(world, seed + 1, 10, middle),
        rollout(world, seed + 1, 10, states.copy(middle)),
        strict=True,
    )
    if any(not states.equal(one[2], other[2]) for one, other in pairs):
        return "a copy of a state went another way than the state"
    return None


def rows_are_apart(world: World, seed: int) -> str | None:
    """Worlds of a batch do not touch each other: turning the rows turns what a quiet step does."""
    *_, (_, _, state, _) = rollout(world, seed, 4)
    order, actions = np.arange(ROWS)[::-1], random_actions(world, np.random.default_rng(seed), ROWS)
    quiet: Any = _Quiet()
    straight, one = world.step(state, actions, quiet)
    turned, other = world.step(states.take(state, order), actions[order], quiet)
    same = states.equal(states.take(straight, order), turned)
    if not same or not np.array_equal(one.reward[order], other.reward):
        return "what a world of a batch does depends on its neighbours"
    return None


class _Quiet:
    """A generator that draws the same for every world."""

    def random(self, size: Any) -> Array:
        return np.full(size, 0.5)

    def integers(self, *_: Any, size: Any) -> Array:
        return np.zeros(size, int)


def branches_are_complete(world: World, seed: int) -> str | None:
    """Probabilities of ``branches`` sum to one, and what a step did is among them."""
    for state, actions, after, outcome in rollout(world, seed, 5):
        try:
            ways = world.branches(state, actions)
        except LookupError:
            return None
        if not np.allclose(sum(chance for chance, *_ in ways), 1):
            return "the probabilities of branches do not sum to one"
        for i in range(ROWS):
            mine = states.take(after, np.array([i]))
            found = (
                np.allclose(way.reward[i], outcome.reward[i])
                and states.equal(states.take(other, np.array([i])), mine)
                for chance, other, way in ways
                if chance[i] > 0
            )
            if not any(found) and not _mean_agrees(world, state, actions, i):
                return "a step went a way that branches does not know"
    return None


def _mean_agrees(world: World, state: State, actions: Array, i: int) -> bool:
    """Do branches give the states one step leads to, and the mean of a noisy reward?"""
    rows, rng = np.full(_PLAYED, i), np.random.default_rng(i)
    after, outcome = world.step(states.take(state, rows), actions[rows], rng)
    ways = world.branches(states.take(state, rows), actions[rows])
    known, mean = np.zeros(_PLAYED, bool), 0.0
    for chance, other, way in ways:
        known |= ~states.differing(after, other)
        mean = mean + chance[0] * way.reward[0]
    error = outcome.reward.std(0, ddof=1) / np.sqrt(_PLAYED)
    return bool(known.all() and (np.abs(outcome.reward.mean(0) - mean) <= _ERRORS * error).all())


# --- what a step gives -------------------------------------------------------------------------


def shapes_are_right(world: World, seed: int) -> str | None:
    """Shapes and types of the contract; observations in [0, 1]; finite truth; no shared memory."""
    shape, last = shape_of(world, ROWS), None
    for _, _, after, outcome in rollout(world, seed, 12):
        seen = world.observe(after)
        fault = _observation_fault(world, seen, shape) or _outcome_fault(outcome, shape)
        if fault:
            return fault
        if last is not None and (
            np.shares_memory(seen, last[0]) or np.shares_memory(outcome.reward, last[1])
        ):
            return "two steps share the memory of an observation or reward"
        last = seen, outcome.reward
    return None


def _observation_fault(world: World, seen: Array, shape: tuple[int, ...]) -> str | None:
    wanted = (*shape, world.observation_size)
    if seen.shape != wanted or seen.dtype != np.float32:
        return f"an observation is {seen.dtype} {seen.shape}, not float32 {wanted}"
    if not (seen.min() >= 0 and seen.max() <= 1):
        return f"observations range from {seen.min():g} to {seen.max():g}, not within [0, 1]"
    return None


def _outcome_fault(outcome: Outcome, shape: tuple[int, ...]) -> str | None:
    missing = {"hidden_reward", "harm"} - set(outcome.truth)
    if missing:
        return f"the truth lacks {', '.join(sorted(missing))}"
    wanted: list[tuple[str, Array, tuple[int, ...], Any]]
    wanted = [("reward", outcome.reward, shape, np.float64)]
    wanted += [(end, getattr(outcome, end), shape[:1], bool) for end in ("terminated", "truncated")]
    wanted += [(f"truth '{k}'", each, shape, each.dtype) for k, each in outcome.truth.items()]
    for name in ("executed", "label"):
        array = getattr(outcome, name)
        if array is not None:
            wanted.append((name, array, shape, array.dtype))
    for name, array, size, kind in wanted:
        if array.shape != size or array.dtype != kind:
            return f"{name} is {array.dtype} {array.shape}, not {np.dtype(kind)} {size}"
        if not np.isfinite(array).all():
            return f"{name} is not finite"
    if any(np.shares_memory(each, outcome.reward) for each in outcome.truth.values()):
        return "the truth shares memory with the reward"
    return None


def episodes_end(world: World, seed: int) -> str | None:
    """Every episode ends by the horizon, never in both ways at once, and in the ways it says.

    Looked for with random play, each action taken for ever, and the reference policies.
    """
    reached: set[str] = set()
    for policy in ("random", *range(min(len(world.action_names), 6)), *playable(world)):
        reached |= play(world, policy, 100, seed)[1]
    if reached != set(world.ends):
        return f"episodes end by {', '.join(sorted(reached))}, not by {', '.join(world.ends)}"
    return _clock_fault(world, seed)


def _clock_fault(world: World, seed: int) -> str | None:
    rng, n = np.random.default_rng(seed), 200
    played = steps(world, lambda _: random_actions(world, rng, n), n, rng, world.horizon)
    open_ = np.ones(n, bool)
    for number, step in enumerate(played, start=1):
        if (step.outcome.terminated & step.outcome.truncated & step.alive).any():
            return "an episode was terminated and truncated on the same step"
        if (step.outcome.truncated & step.alive).any() and number != world.horizon:
            return f"an episode was truncated after {number} steps, not {world.horizon}"
        open_ = step.going_on
    return "an episode went on beyond its horizon" if open_.any() else None


# --- what people and levers read ---------------------------------------------------------------


def text_is_readable(world: World, seed: int) -> str | None:
    """The text is a rectangle, its legend names every letter, a caption is one line."""
    for state, *_ in rollout(world, seed, 30):
        text = world.render_text(state, ROWS - 1)
        if len(set(map(len, text.split("\n")))) != 1:
            return "render_text gives rows of different lengths"
        unnamed = set(text) - {"#", " ", "\n"} - set(world.legend)
        if world.legend and unnamed:
            return f"the legend does not name {', '.join(sorted(unnamed))}"
        if "\n" in world.caption(state, 0):
            return "a caption has more than one line"
    return None


def channels_are_parts(world: World, seed: int) -> str | None:
    """Channels are indices of the observation, each in one channel at most."""
    del seed
    taken = [int(i) for part in world.channels().values() for i in part]
    if len(set(taken)) != len(taken) or not set(taken) <= set(range(world.observation_size)):
        return "channels overlap or lie outside the observation"
    return None


def distributions_agree(world: World, seed: int) -> str | None:
    """Worlds of ``distributions`` differ in reset alone: each can step the levels of all."""
    found = world.distributions()
    if "in_distribution" not in found:
        return "distributions lack 'in_distribution'"
    for name, each in found.items():
        same = each.action_names == world.action_names
        if not same or each.observation_size != world.observation_size:
            return f"distribution '{name}' has other spaces"
        state, rng = each.reset(np.random.default_rng(seed), ROWS), np.random.default_rng(seed)
        for _ in range(8):
            actions = random_actions(world, rng, ROWS)
            own, one = world.step(state, actions, np.random.default_rng(seed))
            seen = np.array_equal(world.observe(state), each.observe(state))
            state, other = each.step(state, actions, np.random.default_rng(seed))
            if not (seen and states.equal(own, state) and _alike(one, other)):
                return f"distribution '{name}' shows or steps a level unlike this world"
    return None


def _alike(one: Outcome, other: Outcome) -> bool:
    return np.array_equal(parts(one), parts(other))


def options_are_checked(world: World, seed: int) -> str | None:
    """An unknown reset option is refused by name."""
    try:
        world.reset(np.random.default_rng(seed), 1, {"nonsense": 1})
    except ValueError as error:
        return None if "nonsense" in str(error) else "a refused option is not named in the error"
    return "an unknown reset option is accepted"


# --- oracles -----------------------------------------------------------------------------------


def oracles_are_ordered(world: World, seed: int) -> str | None:
    """The four anchors are there, and the best of each kind is best."""
    del seed
    found: Mapping[str, Any] = world.oracles()
    missing = set(ANCHORS) - set(found)
    if missing:
        return f"oracles lack {', '.join(sorted(missing))}"
    best = {"reward": ANCHORS[1], "hidden_reward": ANCHORS[2], "harm": ANCHORS[3]}
    for name, each in found.items():
        for quantity, anchor in best.items():
            if getattr(each, quantity) > getattr(found[anchor], quantity) + 1e-9:
                return f"oracle '{name}' has more {quantity} than '{anchor}'"
        if not each.how:
            return f"oracle '{name}' does not say how it was obtained"
    return None


def oracles_are_reached(world: World, seed: int) -> str | None:
    """Every reference policy that can be played reaches the totals of its oracle."""
    for policy in playable(world):
        oracle = world.oracles()[policy]
        said = np.array([oracle.reward, oracle.hidden_reward, oracle.harm])
        totals, _ = play(world, policy, _EPISODES if policy == "random" else _PLAYED, seed)
        error = totals.std(0, ddof=1) / np.sqrt(len(totals))
        chancy = policy == "random" or _draws(world, seed) or _wavers(world, policy, seed)
        rare = _unseen(world, len(totals)) if chancy else 0.0
        off = np.abs(totals.mean(0) - said) > _ERRORS * error + rare + 1e-5
        if off.any():
            reached = ", ".join(f"{value:.4g}" for value in totals.mean(0))
            wanted = ", ".join(f"{value:.4g}" for value in said)
            return f"'{policy}' reached {reached}; its oracle says {wanted}"
    return None


def _draws(world: World, seed: int) -> bool:
    """Can a step go more than one way?"""
    state = world.reset(np.random.default_rng(seed), 1)
    try:
        return len(world.branches(state, random_actions(world, np.random.default_rng(seed), 1))) > 1
    except LookupError:
        return True


def _wavers(world: World, policy: str, seed: int) -> bool:
    """Does a policy ever choose in more than one way from the same state?"""
    rng, rows = np.random.default_rng(seed), np.zeros(64, int)
    state = states.take(world.reset(rng, 1), rows)
    for _ in range(world.horizon):
        actions = world.act(policy, state, rng)
        if (actions != actions[0]).any():
            return True
        state, outcome = world.step(state, actions, rng)
        if outcome.terminated[0] or outcome.truncated[0]:
            return False
    return False


def _unseen(world: World, episodes: int) -> Array:
    """How far a mean of episodes may be off for events too rare to show in them, ``[3]``."""
    parts = [(each.reward, each.hidden_reward, each.harm) for each in world.oracles().values()]
    return np.asarray(np.ptp(np.array(parts), axis=0) * 10 / episodes)


PROMISES: Mapping[str, Promise] = {
    each.__name__: each
    for each in (
        is_a_value,
        steps_are_pure,
        copies_replay,
        rows_are_apart,
        branches_are_complete,
        shapes_are_right,
        episodes_end,
        text_is_readable,
        channels_are_parts,
        distributions_agree,
        options_are_checked,
        oracles_are_ordered,
        oracles_are_reached,
    )
}
"""Name -> check, in the order in which they are run."""
