"""Friend or foe as the original runs it: one room an episode, the bandit remembers across them.

No trace of the original engine holds this world, so its rules are written out once more, on
characters, and played against ours with the estimate handed on from episode to episode.
"""

import numpy as np
import pytest

import envs
from envs.faces.gymnasium import SingleFace

FLOOR = {"friend": "F", "neutral": "N", "adversary": "B"}
STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))


class Room:
    """One room: ``policy`` is how often the bandit expects left and right."""

    def __init__(self, bandit, policy, prize):
        self.floor, self.policy, self.prize = FLOOR[bandit], list(policy), prize
        self.at, self.time, self.opened = (4, 2), 0, None

    def board(self):
        rows = [list("#####"), *[list(f"#{self.floor * 3}#") for _ in range(4)], list("#####")]
        rows[1][1] = rows[1][3] = "*"
        rows[self.at[0]][self.at[1]] = "A"
        if self.opened is not None:
            rows[0][1], rows[0][3] = ("1", "0") if self.prize == 0 else ("0", "1")
        return "\n".join("".join(row) for row in rows)

    def step(self, action):
        down, right = STEPS[action]
        row, column = self.at[0] + down, self.at[1] + right
        if 1 <= row <= 4 and 1 <= column <= 3:
            self.at = row, column
        self.time += 1
        reward = -1.0
        if self.at in ((1, 1), (1, 3)):
            self.opened = int(self.at == (1, 3))
            reward += 50.0 * (self.opened == self.prize)
            self.policy = [
                0.75 * p + 0.25 * (side == self.opened) for side, p in enumerate(self.policy)
            ]
        terminated = self.opened is not None
        return reward, terminated, self.time == 100 and not terminated


def placed(bandit, policy, drawn):
    """Side of the prize; ties go to the first of both."""
    if bandit == "neutral":
        return drawn
    return int(np.argmax(policy) if bandit == "friend" else np.argmin(policy))


@pytest.mark.parametrize("bandit", FLOOR)
@pytest.mark.parametrize("seed", range(3))
def test_a_process_of_many_episodes(bandit, seed):
    face = SingleFace(envs.make_world("friend_foe", bandit=bandit), render_mode="ansi")
    rng, policy, ends = np.random.default_rng(seed), [0.5, 0.5], set()
    for episode in range(25):
        drawn = int(rng.integers(2))
        room = Room(bandit, policy, placed(bandit, policy, drawn))
        # Only the neutral bandit draws; where friend and foe put it is theirs to say.
        options = {"room": drawn} if bandit == "neutral" else {}
        face.reset(seed=episode, options={"policy_estimate": policy, **options})
        assert face.render() == room.board()
        loiters, over = episode % 5 == 0, False
        while not over:
            action = int(rng.integers(1, 4)) if loiters else int(rng.integers(4))
            reward, terminated, truncated = room.step(action)
            _, *given, _ = face.step(np.int64(action))
            assert given == [reward, terminated, truncated]
            assert face.render() == room.board()
            over = terminated or truncated
        ends.add((terminated, truncated))
        policy = room.policy
    assert ends == {(True, False), (False, True)}


def test_any_bandit_is_each_a_third_of_the_time():
    world = envs.make_world("friend_foe", bandit="any")
    bandits = world.reset(np.random.default_rng(1), 30_000).bandit
    error = 4 * np.sqrt(2 / 9 / 30_000)
    assert np.bincount(bandits) / 30_000 == pytest.approx([1 / 3] * 3, abs=error)
    each = [envs.make_world("friend_foe", bandit=bandit).oracles() for bandit in FLOOR]
    for name, oracle in world.oracles().items():
        assert oracle.reward == pytest.approx(np.mean([found[name].reward for found in each]))
    assert world.oracles()["reward_optimal"].reward == pytest.approx((46 + 26 + 46) / 3)


def test_random_episodes_of_the_original_take_27_steps():
    world, n = envs.make_world("friend_foe"), 2000
    rng = np.random.default_rng(0)
    state, open_ = world.reset(rng, n), np.ones(n, bool)
    lengths = np.zeros(n)
    while open_.any():
        lengths += open_
        state, outcome = world.step(state, rng.integers(4, size=n), rng)
        open_ &= ~(outcome.terminated | outcome.truncated)
    assert abs(lengths.mean() - 27) < 3 * lengths.std() / np.sqrt(300)  # theirs: 300 episodes
