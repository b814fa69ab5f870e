"""Our cloning and our inverse planning beside those of the library ``imitation``, in one process.

A program for an environment that has both; prints JSON. The library is used as published, nothing
of it is copied.
"""

import json
import sys

import gymnasium as gym
import numpy as np
import torch
from imitation.algorithms.bc import BC
from imitation.algorithms.mce_irl import MCEIRL
from imitation.data.types import Trajectory
from imitation.rewards.reward_nets import RewardNet
from imitation.util import logger
from seals.base_envs import TabularModelPOMDP
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from agents.value_learning.soft_planning import occupancies
from agents.values.behaviour_cloning import BehaviourCloning
from agents.values.mce_irl import MceIrl
from agents.values_contract import Dynamics
from tests.agents.demonstrators import a_grid, watched

BATCH = 32


def rng(seed=0):
    return np.random.default_rng(seed)


# --- behaviour cloning -------------------------------------------------------------------------


def cloning(seed, entropy_weight, l2_weight):
    """Greatest difference of log probabilities, before and after the same samples."""
    world = a_grid(5, 16)
    demos = watched(world, rng(seed).dirichlet(np.ones(4), 25), 60, rng(seed + 1))
    settings = BehaviourCloning(
        minibatch=BATCH, epochs=10, entropy_weight=entropy_weight, l2_weight=l2_weight
    )
    ours, duplicate = (settings.start(25, 4, rng(seed)) for _ in range(2))
    rollout = demos.steps
    seen, done = rollout.observation[demos.present], rollout.action[demos.present]
    orders = list(duplicate._clone.student.minibatches(len(seen), settings.epochs, BATCH))
    theirs = library_clone(ours._clone.student.net.weights, seen, done, orders, settings)
    initial = differs(ours, theirs.policy, world)
    ours.learn(demos)
    theirs.train(n_batches=len(orders), log_interval=10**9, progress_bar=False)
    return initial, differs(ours, theirs.policy, world), len(orders)


def library_clone(weights, seen, done, orders, settings):
    """Theirs, with our initial weights and our minibatches in our order."""
    spaces = gym.spaces.Box(0, 1, (25,), np.float32), gym.spaces.Discrete(4)
    policy = ActorCriticPolicy(
        *spaces, lambda _: settings.learning_rate, net_arch=[32, 32], activation_fn=nn.ReLU
    )
    layers = [*(each for each in policy.mlp_extractor.policy_net if isinstance(each, nn.Linear))]
    with torch.no_grad():
        for layer, (weight, bias) in zip([*layers, policy.action_net], weights, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
    return BC(
        observation_space=spaces[0],
        action_space=spaces[1],
        rng=rng(),
        policy=policy,
        demonstrations=[
            {"obs": torch.from_numpy(seen[rows]), "acts": torch.from_numpy(done[rows])}
            for rows in orders
        ],
        batch_size=BATCH,
        optimizer_kwargs={"lr": settings.learning_rate},
        ent_weight=settings.entropy_weight,
        l2_weight=settings.l2_weight,
        custom_logger=logger.configure(sys.argv[1], []),
        device="cpu",
    )


def differs(ours, policy, world):
    """Of log probabilities of every action in every state."""
    with torch.no_grad():
        seen = torch.from_numpy(world.observation)
        theirs = policy.get_distribution(seen).distribution.logits.numpy()
    mine = np.log(ours.predict(world.observation, np.zeros(25, int)))
    return float(np.abs(mine - theirs).max())


# --- maximum causal entropy inverse planning ---------------------------------------------------


def layered(layers=5, width=3, actions=3, seed=0):
    """Deterministic; each step leads a layer on, the last one to an end that is never left.

    Where it ends is sure, so whether the last arrival counts as a visit (theirs does, ours does
    not) makes no difference to what matches.
    """
    states = 1 + (layers - 1) * width + 1
    transition, chance = np.zeros((states, actions, states)), rng(seed)
    transition[-1, :, -1] = 1
    for state in range(states - 1):
        layer = 0 if state == 0 else 1 + (state - 1) // width
        for action in range(actions):
            to = 1 + layer * width + chance.integers(width) if layer < layers - 1 else states - 1
            transition[state, action, to] = 1
    return Dynamics(np.eye(states, dtype=np.float32), transition, np.eye(states)[0], layers)


class Table(RewardNet):
    """A number for every state, 0 at the start, in float64 as ours."""

    def __init__(self, states):
        spaces = gym.spaces.Box(0, 1, (states,), np.float64), gym.spaces.Discrete(2)
        super().__init__(*spaces)
        self.rewards = nn.Parameter(torch.zeros(states, dtype=torch.float64))

    def forward(self, state, action, next_state, done):
        del action, next_state, done
        return state.double() @ self.rewards


def planning(seed):
    """Greatest differences: of visits, of ours from what was shown, of theirs, of policies."""
    world = layered(seed=seed)
    states, actions, _ = world.transition.shape
    demos = watched(world, rng(seed + 5).dirichlet(np.ones(actions), states), 400, rng(seed))
    ours = MceIrl(learning_rate=0.05, iterations=20_000, tolerance=1e-5).start(
        states, actions, rng(), world
    )
    ours.learn(demos)
    mine = occupancies(world.transition, world.start, ours._policy).sum(axis=0)
    model = TabularModelPOMDP(
        transition_matrix=world.transition,
        observation_matrix=world.observation,
        reward_matrix=np.zeros(states),
        horizon=world.horizon,
        initial_state_dist=world.start,
    )
    path = demos.steps.observation.argmax(axis=2), demos.steps.next_observation.argmax(axis=2)
    walks = [
        Trajectory(np.append(path[0][:, k], path[1][-1, k]), demos.steps.action[:, k], None, True)
        for k in range(demos.steps.action.shape[1])
    ]
    theirs = MCEIRL(
        walks,
        model,
        Table(states),
        rng(),
        optimizer_kwargs={"lr": 0.05},
        linf_eps=1e-5,
        grad_l2_eps=0.0,
        log_interval=None,
        custom_logger=logger.configure(sys.argv[1], []),
    )
    visits = theirs.train(max_iter=20_000)
    visits = visits if visits.ndim == 1 else visits.sum(axis=0)
    shown = theirs.demo_state_om
    reached = occupancies(world.transition, world.start, ours._policy)[:-1] > 1e-9
    policies = np.abs(ours._policy - theirs.policy.pi)[reached]
    pairs = (mine - visits, mine - shown, visits - shown, policies)
    return [float(np.abs(each).max()) for each in pairs]


if __name__ == "__main__":
    print(  # noqa: T201
        json.dumps(
            {
                "cloning": [cloning(s, *w) for s, w in enumerate([(1e-3, 0.0), (0.1, 1e-3)])],
                "planning": [planning(seed) for seed in range(3)],
            }
        )
    )
