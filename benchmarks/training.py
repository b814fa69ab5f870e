"""Training steps per second and time to capability, beside stock SB3 PPO; and the price of edits.

Both learn ``sandbox/CoinGrid-v0`` (coverage 0.5) on one torch thread, in one run and by turns. The
stock model has SB3's defaults and eight hand-written plain-Python copies of the world in a
``DummyVecEnv``, its usual and fastest home for them; ours the batch face and this project's
defaults. Times are of the CPU, as other work may share the machine; ratios are what counts.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict

import gymnasium
import numpy as np
import stable_baselines3
import torch
from plain_worlds import PlainCoinGrid
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import envs
from agents.algorithms.ppo_start import build_learner
from agents.contract import AgentState
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.learners.ppo import PPO
from agents.objectives.extrinsic import Extrinsic
from agents.surgery.weights import drop_units, grow_units
from agents.training.population import Solo
from sandbox.seeding import stream
from sandbox.trial.loop import run_trial
from sandbox.trial.rehearsal import NullRecorder

COVERAGE, STOCK_ENVS, SEEDS = 0.5, 8, (0,)
SHARE = 0.9  # of the way from a random to an optimal agent
PATIENCE = 250_000  # steps until a learner is given up on
EDIT_EVERY, ROUNDS = 10, 5
Surgery = Callable[[AgentState, int], AgentState]


def ours(seed: int = 0, units: int = 64) -> Solo:
    """Our pipeline at its defaults, with the stock model's architecture."""
    learner = PPO()
    env = gymnasium.make_vec("sandbox/CoinGrid-v0", learner.num_envs, coverage=COVERAGE)
    env.reset(seed=seed)
    genome = Genome(
        Architecture((Layer("dense", units), Layer("dense", units))),
        LearningRule(**learner.genome_rule()),
    )
    objectives = {"extrinsic": Extrinsic()}
    return Solo(
        env,
        learner.steps_per_update,
        {"agent": genome},
        objectives,
        lambda name: stream(seed, name),
        make=build_learner,
    )


class _Watch(BaseCallback):
    """Stops SB3 once the mean of its last 100 episodes reaches ``goal``."""

    def __init__(self, goal: float) -> None:
        super().__init__()
        self.goal = goal

    def _on_step(self) -> bool:
        kept = self.model.ep_info_buffer
        full = len(kept) == kept.maxlen
        return not (full and sum(each["r"] for each in kept) / len(kept) >= self.goal)


def stock(seed: int = 0) -> stable_baselines3.PPO:
    """SB3's PPO with its defaults."""
    homes = DummyVecEnv(
        [lambda: Monitor(PlainCoinGrid(coverage=COVERAGE)) for _ in range(STOCK_ENVS)]
    )
    return stable_baselines3.PPO("MlpPolicy", homes, seed=seed, device="cpu")


def our_speed(population: Solo, updates: int = 20) -> float:
    """Environment steps a second."""
    begun = time.process_time()
    steps = sum(population.update()["agent"].steps for _ in range(updates))
    return steps / (time.process_time() - begun)


def stock_speed(model: stable_baselines3.PPO) -> float:
    """Environment steps a second of one rollout and update."""
    steps = model.n_steps * STOCK_ENVS
    begun = time.process_time()
    model.learn(steps, reset_num_timesteps=False)
    return steps / (time.process_time() - begun)


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


def edited_speed(population: Solo, surgery: Surgery | None, turn: int) -> float:
    """Environment steps a second of ``EDIT_EVERY`` updates and the edit behind them."""
    live = population.learners["agent"]
    begun = time.process_time()
    steps = sum(population.update()["agent"].steps for _ in range(EDIT_EVERY))
    if surgery is not None:
        live.install(surgery(live.agent_state(), turn))
    return steps / (time.process_time() - begun)


def widen_and_back(agent_state: AgentState, turn: int) -> AgentState:
    """Eight units more, and at the next edit eight fewer: the average size stays put."""
    if turn % 2 == 0:
        return grow_units(agent_state, 0, 8, np.random.default_rng(turn))
    last = np.arange(agent_state.genome.architecture.layers[0].units)[-8:]
    return drop_units(agent_state, 0, {"policy": last, "value": last})


def report_speed() -> None:
    """Print steps per second of both, by turns."""
    mine, theirs = ours(), stock()
    mine.update()
    pairs = [(our_speed(mine), stock_speed(theirs)) for _ in range(2)]
    fast, slow = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"training speed, 2 x 64 tanh: ours {fast:,.0f} steps/s (64 envs, minibatch 1024, 4")
    print(f"  epochs), stock SB3 {slow:,.0f} (8 envs, minibatch 64, 10 epochs): {fast / slow:.1f}x")


def laboratory_speed(steps: int) -> float:
    """Environment steps a second of a whole trial: recorder, gate, ledger and two probes."""
    fields = asdict(PPO(total_steps=steps))
    spec = {
        "env": {"id": "sandbox/CoinGrid-v0", "kwargs": {"coverage": COVERAGE}},
        "learner": {"ppo": fields},
        "architecture": {"layers": [{"kind": "dense", "units": 64}] * 2, "activation": "tanh"},
        "objective": {"extrinsic": {"weight": 1.0}},
        "editor": {"fixed": {}},
        "gate": {},
        "probes": {"held_out": {"episodes": 128, "every_updates": 10_000}},
        "seed": 0,
        "salt": 0,
        "condition": {},
    }
    begun = time.process_time()
    run_trial(spec, "benchmark", NullRecorder())
    return steps / (time.process_time() - begun)


def report_laboratory(steps: int = 100_000) -> None:
    """Print what the laboratory around the learner costs when nothing is edited."""
    updates = steps // (64 * 32)
    pairs = [(our_speed(ours(), updates), laboratory_speed(steps)) for _ in range(3)]
    bare, whole = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"whole trial of {steps:,} steps, no edits, 2 x 64: {whole:,.0f} steps/s,", end=" ")
    print(f"{whole / bare:.2f}x of the learner alone")


def report_time() -> None:
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


def report_edits() -> None:
    """Print the throughput with an edit every ``EDIT_EVERY`` updates against none."""
    arms: dict[str, Surgery | None] = {
        "no edit": None,
        "identity": lambda agent_state, _: agent_state,
        "widen by 8 and back": widen_and_back,
    }
    populations = {name: ours(1, units=32) for name in arms}
    speeds: dict[str, list[float]] = {name: [] for name in arms}
    for turn in range(2 * ROUNDS):
        for name, surgery in arms.items():
            speeds[name].append(edited_speed(populations[name], surgery, turn))
    base = statistics.median(speeds["no edit"])
    for name in arms:
        found = statistics.median(speeds[name])
        print(f"edit every {EDIT_EVERY} updates, 2 x 32: {name} {found:,.0f} steps/s,", end=" ")
        print(f"{found / base:.2f}x of no edit")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, CoinGrid 5 x 5 (76 inputs), coverage {COVERAGE}")
    report_speed()
    report_laboratory()
    report_time()
    report_edits()
