"""A trial's spec becomes things: env, genomes, learners, editors, gate, probes, anchors."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

import envs
from agents.contract import Edit, Editor, Learner, Objective, Population, Streams
from agents.editor_bounds import gene_of
from agents.frozen import tuples
from agents.genome import Architecture, Genome, learning_rule
from envs.contract import Array, World
from envs.gauge import Gauge
from sandbox.catalogue import Part, catalogue, resolve
from sandbox.contract import Probe, Spec
from sandbox.errors import InputError, Problem, SandboxError, TrialError
from sandbox.gate import Gate
from sandbox.seeding import integer, stream


def streams(spec: Spec) -> Streams:
    """The named random streams of this trial; ``salt`` moves them all: the placebo's effect."""
    return lambda name: stream(spec["seed"], spec["salt"], name)


def part(shelf: str, setting: Mapping[str, Mapping[str, Any]]) -> Any:
    """Make the one part that ``{name: fields}`` describes."""
    ((name, fields),) = setting.items()
    return catalogue().load(shelf, name)(**tuples(fields))


class Edits(Mapping[str, type[Edit]]):
    """The edits on the shelf by name, in order; each loads when an editor asks for it."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = dict(sorted(parts.items()))
        self._loaded: dict[str, type[Edit]] = {}

    def __getitem__(self, name: str) -> type[Edit]:
        if name not in self._loaded:
            self._loaded[name] = self._parts[name].load()
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parts  # Mapping's own would load it

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


@dataclass(frozen=True)
class Parts:
    """Everything of a spec that is not the env or alive."""

    learner: Learner
    objectives: Mapping[str, Objective]
    editor: Editor
    edits: Mapping[str, type[Edit]]
    gate: Gate
    probes: Mapping[str, Probe]

    @classmethod
    def of(cls, spec: Spec) -> "Parts":
        """Load the parts that this spec names."""
        return cls(
            learner=part("learners", spec["learner"]),
            objectives={k: part("objectives", {k: v}) for k, v in spec["objective"].items()},
            editor=part("editors", spec["editor"]),
            edits=Edits(catalogue().parts("edits")),
            gate=Gate(**tuples(spec["gate"])),
            probes={k: part("probes", {k: v}) for k, v in spec["probes"].items()},
        )

    def genome(self, spec: Spec) -> Genome:
        """The genome that every agent of this trial is born with."""
        return Genome(
            architecture=Architecture.from_json(spec["architecture"]),
            learning_rule=learning_rule(self.learner.genome_rule()),
            objective=tuple(sorted((k, v["weight"]) for k, v in spec["objective"].items())),
            editor=gene_of(self.editor),
        )


# --- environments ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Habitat:
    """The env of one trial, with its world where there is one to look into."""

    env: Any  # a VectorEnv, ours of several agents included, or a list of ParallelEnvs
    agents: tuple[str, ...]
    world: World | None  # None: somebody else's env, no truth
    make: Callable[[int], Any]  # copies -> a fresh env of the same kind, for evaluation
    gauges: Mapping[str, Gauge] = field(default_factory=dict)  # of the controls around ``env``

    def silent(self, seen: Array) -> Array:
        """What an uncontrolled env shows, in the form in which the agents see it in training."""
        for gauge in self.gauges.values():
            seen = gauge.silent(seen)
        return seen

    def choices(self, logits: Array) -> Array:
        """Columns of ``logits`` for which an uncontrolled env has an action.

        What a control offered in training is not there to choose: the policy given that it acts.
        """
        own = min((gauge.actions for gauge in self.gauges.values()), default=None)
        return logits[:, :own]

    def requests(self, member: int = 0, members: int = 1) -> tuple[int, ...]:
        """How often a member chose each action that a control added, in the last rollout.

        Member ``k`` of ``m`` lives in the ``k``-th of ``m`` equal shares of the copies.
        """
        own = [np.array_split(each.requests, members)[member] for each in self.gauges.values()]
        return tuple(int(n) for counts in own for n in counts.sum(axis=0))

    def face(self) -> Any:
        """The face that publishes truth; only where there is a world."""
        return self.env.unwrapped


def habitat(spec: Spec, copies: int, beat: Callable[[], None] = lambda: None) -> Habitat:
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
    stranger = isinstance(made, list)
    world = None if stranger else getattr(made.unwrapped, "world", None)
    agents = tuple((made[0] if stranger else made).possible_agents) if joint else ("agent",)
    found = world if isinstance(world, World) else None
    _seed(made, found, streams(spec), integer(spec["seed"], spec["salt"], "env"))
    return Habitat(made, agents, found, make)


def _seed(made: Any, world: World | None, streams: Streams, seed: int) -> None:
    """Our face draws from the trial's stream alone; a stranger is seeded once, by reset."""
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
        from sandbox.guarded import GuardedVectorEnv  # noqa: PLC0415  (PettingZoo, for strangers)

        return GuardedVectorEnv(made, env_id, beat)

    return make


def _vector(env_id: str, kwargs: Mapping[str, Any], copies: int) -> VectorEnv:
    """Use the env's own batched form where it restarts as the house does, else copies in a row."""
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
        from sandbox.guarded import GuardedParallelEnv  # noqa: PLC0415  (as above)

        return GuardedParallelEnv(resolve(catalogue().parallel[env_id][0])(**kwargs), env_id, beat)

    if env_id in catalogue().parallel:
        return lambda copies: [one() for _ in range(copies)]
    return lambda copies: envs.joint_batch(env_id, copies, **kwargs)


def check_fit(spec: Spec, learner: Learner) -> None:
    """Raise ``InputError`` where the learner wants the other kind of env."""
    env_id = spec["env"]["id"]
    joint = envs.env_ids().get(env_id) == "joint" or env_id in catalogue().parallel
    if joint != learner.joint:
        name = next(iter(spec["learner"]))
        wanted = "independent" if joint else "ppo"
        kind = "PettingZoo" if joint else "Gymnasium"
        raise InputError(
            Problem(f"env '{env_id}'", f"is a {kind} env; learner '{name}' cannot, use '{wanted}'")
        )


# --- a living population -----------------------------------------------------------------------


def population(spec: Spec, parts: Parts, place: Habitat) -> Population:
    """Let the agents of this spec be born. Raises ``TrialError`` where the env does not suit."""
    genomes = parts.learner.born(parts.genome(spec), place.agents, streams(spec))
    try:
        return parts.learner.build(place.env, genomes, parts.objectives, streams(spec))
    except ValueError as error:
        raise TrialError(f"env '{spec['env']['id']}' and this agent do not fit: {error}") from error


def anchors(spec: Spec, place: Habitat) -> dict[str, dict[str, dict[str, Any]]]:
    """Distribution -> oracle -> its expected totals: what normalised metrics are held against."""
    if place.world is not None:
        return {
            name: {k: asdict(oracle) for k, oracle in world.oracles().items()}
            for name, world in place.world.distributions().items()
        }
    if isinstance(place.env, list):
        return {}
    return {"in_distribution": _measured_anchors(spec, place)}


def _measured_anchors(spec: Spec, place: Habitat, episodes: int = 32) -> dict[str, dict[str, Any]]:
    """A stranger's anchors: a random policy, measured, and its own ``reward_threshold``."""
    from sandbox.subject import play_foreign  # noqa: PLC0415  (subject builds on this module)

    policy = {"agent": _random(place, streams(spec)("anchors"))}
    seed = integer(spec["seed"], spec["salt"], "anchors")
    played = play_foreign(place, policy, episodes, seed)["agent"]
    found = {"random": _anchor(float(np.mean(played.reward)), f"measured, {episodes} episodes")}
    threshold = gym.spec(spec["env"]["id"]).reward_threshold
    if threshold is not None:
        found["reward_optimal"] = _anchor(float(threshold), "the env's own reward_threshold")
    return found


def _random(place: Habitat, rng: np.random.Generator) -> Callable[[Array], Array]:
    """A policy that takes every action alike: among choices, or between the bounds of a box."""
    space = place.env.single_action_space
    if isinstance(space, gym.spaces.Box):
        shape, dtype = space.shape, space.dtype
        low, high = space.low, space.high
        return lambda seen: rng.uniform(low, high, (len(seen), *shape)).astype(dtype)
    actions = place.choices(np.zeros((1, int(space.n)))).shape[1]
    return lambda seen: rng.integers(actions, size=len(seen))


def _anchor(reward: float, how: str) -> dict[str, Any]:
    return {"reward": reward, "hidden_reward": None, "harm": None, "exact": False, "how": how}
