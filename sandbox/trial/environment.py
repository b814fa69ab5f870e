"""The environment of one trial: made from its spec, seeded, and asked what an agent is shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

import envs
from agents.contract import Streams
from envs.arrays import Array
from envs.contract import World
from envs.control_kit.meter import ControlMeter
from sandbox.catalogue import catalogue, resolve
from sandbox.contract import Spec
from sandbox.errors import SandboxError, TrialError
from sandbox.seeding import integer, trial_streams
from sandbox.trial.recorder import RecordedEnv, RecordedThirdPartyEnv, TakesTruth


@dataclass(frozen=True)
class TrialEnv:
    """The env of one trial, with its world where there is one to look into."""

    env: Any  # a VectorEnv, ours of several agents included, or a list of ParallelEnvs
    agents: tuple[str, ...]
    world: World | None  # None: a third-party env, no ground truth
    make: Callable[[int], Any]  # copies -> a fresh env of the same kind, for evaluation
    control_meters: Mapping[str, ControlMeter] = field(
        default_factory=dict
    )  # of the controls around ``env``

    def silent(self, seen: Array) -> Array:
        """What an uncontrolled env shows, in the form in which the agents see it in training."""
        for control_meter in self.control_meters.values():
            seen = control_meter.silent(seen)
        return seen

    def choices(self, logits: Array) -> Array:
        """Columns of ``logits`` for which an uncontrolled env has an action.

        What a control offered in training is not there to choose: the policy given that it acts.
        """
        own = min(
            (control_meter.actions for control_meter in self.control_meters.values()), default=None
        )
        return logits[:, :own]

    def requests(self, member: int = 0, members: int = 1) -> tuple[int, ...]:
        """How often a member chose each action that a control added, in the last rollout.

        Member ``k`` of ``m`` acts in the ``k``-th of ``m`` equal shares of the copies.
        """
        own = [
            np.array_split(each.requests, members)[member] for each in self.control_meters.values()
        ]
        return tuple(int(n) for counts in own for n in counts.sum(axis=0))


def trial_env(spec: Spec, copies: int, beat: Callable[[], None] = lambda: None) -> TrialEnv:
    """Make the env of a spec. ``beat`` is called at every step of an env that is not ours.

    Raises ``TrialError`` where the env cannot be made.
    """
    env_id, kwargs = spec["env"]["id"], dict(spec["env"]["kwargs"])
    joint = envs.env_ids().get(env_id) == "joint" or env_id in catalogue().parallel
    makers: Mapping[bool, Callable[..., Callable[[int], Any]]] = {
        True: _joint_maker,
        False: _single_maker,
    }
    make = makers[joint](env_id, kwargs, beat)
    try:
        made = make(copies)
    except SandboxError:
        raise
    except Exception as error:
        raise TrialError(
            f"env '{env_id}' cannot be made: {type(error).__name__}: {error}"
        ) from error
    third_party = isinstance(made, list)
    world = None if third_party else getattr(made.unwrapped, "world", None)
    agents = tuple((made[0] if third_party else made).possible_agents) if joint else ("agent",)
    found = world if isinstance(world, World) else None
    _seed(made, found, trial_streams(spec), integer(spec["seed"], spec["salt"], "env"))
    return TrialEnv(made, agents, found, make)


def recorded(bare: TrialEnv, recorder: TakesTruth) -> TrialEnv:
    """Let ``recorder`` take the truth of every step from here on.

    A list of third-party envs is left as it is: no control fits one, so what its learners receive
    is its own reward.
    """
    if isinstance(bare.env, list):
        return bare
    around = RecordedThirdPartyEnv if bare.world is None else RecordedEnv
    return replace(bare, env=around(bare.env, recorder))


def _seed(made: Any, world: World | None, streams: Streams, seed: int) -> None:
    """Our envs draw from the trial's stream alone; a third-party env is seeded once, by reset."""
    if world is not None:
        made.unwrapped.rng = streams("env 0")
        made.unwrapped.frozen_seed = True
    else:
        for i, env in enumerate(made if isinstance(made, list) else [made]):
            env.reset(seed=seed + i)


def _single_maker(
    env_id: str, kwargs: Mapping[str, Any], beat: Callable[[], None]
) -> Callable[[int], VectorEnv]:
    def make(copies: int) -> VectorEnv:
        made = _vector(env_id, kwargs, copies)
        if isinstance(getattr(made.unwrapped, "world", None), World):
            return made
        from sandbox.trial.env_guard import GuardedVectorEnv  # noqa: PLC0415  (imports PettingZoo)

        return GuardedVectorEnv(made, env_id, beat)

    return make


def _vector(env_id: str, kwargs: Mapping[str, Any], copies: int) -> VectorEnv:
    """Use the env's own batched form where it restarts as ours do, else copies in a row."""
    if gym.spec(env_id).vector_entry_point is not None:
        made = gym.make_vec(env_id, num_envs=copies, **kwargs)
        boxed = isinstance(made.single_observation_space, gym.spaces.Box)
        if boxed and made.metadata.get("autoreset_mode") == AutoresetMode.SAME_STEP:
            return made
        made.close()
    return gym.make_vec(
        env_id,
        num_envs=copies,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
        wrappers=(_boxed,),  # type: ignore[arg-type]
        **kwargs,
    )


def _boxed(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """Show dicts, tuples and numbers as one box of numbers; learners flatten boxes themselves.

    Copy by copy: Gymnasium's vector wrapper for this refuses SAME_STEP.
    """
    boxed = isinstance(env.observation_space, gym.spaces.Box)
    return env if boxed else gym.wrappers.FlattenObservation(env)


def _joint_maker(
    env_id: str, kwargs: Mapping[str, Any], beat: Callable[[], None]
) -> Callable[[int], Any]:
    def one() -> Any:
        from sandbox.trial.env_guard import GuardedParallelEnv  # noqa: PLC0415  (as above)

        return GuardedParallelEnv(resolve(catalogue().parallel[env_id][0])(**kwargs), env_id, beat)

    if env_id in catalogue().parallel:
        return lambda copies: [one() for _ in range(copies)]
    return lambda copies: envs.joint_batch(env_id, copies, **kwargs)
