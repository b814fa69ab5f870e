"""CPU time until PPO has learned coin_grid, beside SB3's PPO with its defaults.

Both learn ``sandbox/CoinGrid-v0`` (coverage 0.5) on one torch thread, one after the other for each
seed. SB3 has eight hand-written plain-Python copies of the world in a ``DummyVecEnv``; ours the
batched world and this project's defaults.
"""

import time

import gymnasium
import stable_baselines3
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import envs
from agents.contract import Population
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.learners.ppo import PPO
from agents.objectives.extrinsic import Extrinsic
from benchmarks.contenders.plain_worlds import PlainCoinGrid
from sandbox.seeding import stream

COVERAGE, STOCK_ENVS, SEEDS = 0.5, 8, (0,)
SHARE = 0.9  # of the way from a random to an optimal agent
PATIENCE = 250_000  # steps until a learner is given up on


def ours(seed: int) -> Population:
    """Our pipeline at its defaults, with the stock model's architecture."""
    learner = PPO()
    env = gymnasium.make_vec("sandbox/CoinGrid-v0", learner.num_envs, coverage=COVERAGE)
    env.reset(seed=seed)
    genome = Genome(
        Architecture((Layer("dense", 64), Layer("dense", 64))),
        LearningRule(**learner.genome_rule()),
    )
    objectives = {"extrinsic": Extrinsic()}
    return learner.build(env, {"agent": genome}, objectives, lambda name: stream(seed, name))


class _Watch(BaseCallback):
    """Stops SB3 once the mean of its last 100 episodes reaches ``goal``."""

    def __init__(self, goal: float) -> None:
        super().__init__()
        self.goal = goal

    def _on_step(self) -> bool:
        kept = self.model.ep_info_buffer
        full = len(kept) == kept.maxlen
        return not (full and sum(each["r"] for each in kept) / len(kept) >= self.goal)


def stock(seed: int) -> stable_baselines3.PPO:
    """SB3's PPO with its defaults."""
    homes = DummyVecEnv(
        [lambda: Monitor(PlainCoinGrid(coverage=COVERAGE)) for _ in range(STOCK_ENVS)]
    )
    return stable_baselines3.PPO("MlpPolicy", homes, seed=seed, device="cpu")


def our_time(goal: float, seed: int) -> tuple[float, int]:
    """(CPU seconds, steps) until the last 100 or more episodes earn ``goal`` on average."""
    population, steps, last = ours(seed), 0, [(0.0, 0)]
    begun = time.process_time()
    while steps < PATIENCE:
        report = population.update()["agent"]
        steps += report.steps
        last = [*last, ((report.mean_return or 0.0) * report.episodes, report.episodes)][-4:]
        episodes = sum(count for _, count in last)
        if episodes >= 100 and sum(total for total, _ in last) / episodes >= goal:
            break
    return time.process_time() - begun, steps


def stock_time(goal: float, seed: int) -> tuple[float, int]:
    """The same for SB3, which looks at every step."""
    model = stock(seed)
    begun = time.process_time()
    model.learn(PATIENCE, callback=_Watch(goal))
    return time.process_time() - begun, model.num_timesteps


def main() -> None:
    """Print the time to the same mean return."""
    oracles = envs.make_world("coin_grid", coverage=COVERAGE).oracles()
    low, high = oracles["random"].reward, oracles["reward_optimal"].reward
    goal = low + SHARE * (high - low)
    pairs = [(our_time(goal, seed), stock_time(goal, seed)) for seed in SEEDS]
    for seed, (mine, theirs) in zip(SEEDS, pairs, strict=True):
        found = [
            f"{s:.1f} s, {n:,} steps{' (gave up)' * (n >= PATIENCE)}" for s, n in (mine, theirs)
        ]
        print(f"time to {SHARE:.0%} of optimal (return {goal:.3f}), seed {seed}: ours {found[0]};")
        print(f"  stock {found[1]}: {theirs[0] / mine[0]:.1f}x sooner")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
