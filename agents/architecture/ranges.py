"""What the numbers of learning rules and learners may be, and what is wrong with given ones."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any, get_args, get_type_hints

from agents.genome import RULES, LearningRule, TableRule
from agents.part_settings import PlacedProblem, SettingError

TABLE_CHOICES: Mapping[str, tuple[str, ...]] = {
    name: get_args(get_type_hints(TableRule)[name]) for name in ("rule", "learns_from")
}
"""What the words of a ``TableRule`` may be."""


@dataclass(frozen=True)
class Range:
    """The numbers a setting may take: ``low`` to ``high``, ``low`` itself only if ``closed``."""

    low: float
    high: float
    whole: bool = False
    closed: bool = True

    def problem(self, name: str, value: Any) -> PlacedProblem | None:
        """Return what is wrong with the setting ``name``, at its name, or ``None``."""
        kind = Integral if self.whole else Real
        number = isinstance(value, kind) and not isinstance(value, bool)
        if number and self._holds(value):
            return None
        return PlacedProblem(f"{name} must be {self}, got {value!r}", name)

    def _holds(self, value: float) -> bool:
        """Compare without a conversion: a whole number may be too large for a float."""
        above = value >= self.low if self.closed else value > self.low
        return above and value <= self.high  # false for nan

    def __str__(self) -> str:
        what = "a whole number" if self.whole else "a number"
        return f"{what} in {'[' if self.closed else '('}{self.low:g}, {self.high:g}]"


RULE_RANGES: Mapping[str, Range] = {
    "learning_rate": Range(0, 1, closed=False),
    "discount": Range(0, 1),
    "gae_lambda": Range(0, 1),
    "clip_range": Range(0, 10, closed=False),
    "entropy_coefficient": Range(0, 10),
    "value_coefficient": Range(0, 100),
    "max_grad_norm": Range(0, 1e6, closed=False),
    "epochs": Range(1, 100, whole=True),
    "minibatch": Range(2, 1_000_000, whole=True),
    "target_kl": Range(0, 1e3),
    "momentum": Range(0, 0.9999),
    "weight_decay": Range(0, 100),
    "sam_radius": Range(0, 10),
    "sam_mix": Range(0, 1),
    "replacement_rate": Range(0, 1),
    "maturity": Range(1, 1_000_000_000, whole=True),
    "pull_to_birth": Range(0, 100),
}
"""What each number of ``LearningRule`` may be; a minibatch of one has no spread to divide by."""

MORE_RANGES: Mapping[str, Mapping[str, Range]] = {
    "dqn": {
        "gradient_steps": Range(1, 10_000, whole=True),
        "target_rate": Range(0, 1, closed=False),
        "target_every": Range(1, 100_000, whole=True),
        "exploration": Range(0, 1),
        "exploration_start": Range(0, 1),
        "exploration_updates": Range(1, 1_000_000, whole=True),
    },
    "ppo_two_streams": {"intrinsic_discount": Range(0, 1)},
    "sac": {
        "gradient_steps": Range(1, 10_000, whole=True),
        "target_rate": Range(0, 1, closed=False),
        "temperature": Range(0, 1e3),
    },
}
"""By ``rule``: its numbers beyond those of ``LearningRule``."""

_ROLLOUTS_ONLY = ("gae_lambda", "clip_range", "entropy_coefficient", "value_coefficient", "epochs")
IDLE_FOR: Mapping[str, tuple[str, ...]] = {
    "a2c": ("clip_range", "epochs", "minibatch", "target_kl"),
    "dqn": (*_ROLLOUTS_ONLY, "target_kl"),
    "sac": (*_ROLLOUTS_ONLY, "target_kl"),
}
"""By ``rule``: numbers that it does not use, so that edits cannot set them."""

OPTIMISERS = get_args(get_type_hints(LearningRule)["optimiser"])

LEARNER_RANGES: Mapping[str, Range] = {
    "num_envs": Range(1, 100_000, whole=True),
    "total_steps": Range(1, 10**12, whole=True),
    "steps_per_update": Range(1, 100_000, whole=True),
    **RULE_RANGES,
}
"""What each field of a PPO learner may be."""


MEMORY_RANGES: Mapping[str, Range] = {
    "memory": Range(1, 10**8, whole=True),
    "warmup": Range(1, 10**8, whole=True),
}
"""Further settings of learners with a replay memory."""


TABLE_RANGES: Mapping[str, Range] = {
    "step_size": Range(0, 1, closed=False),
    "step_size_decay": Range(0, 1e6),
    "discount": Range(0, 1),
    "exploration_start": Range(0, 1),
    "exploration_end": Range(0, 1),
    "exploration_share": Range(0, 1),
    "initial_value": Range(-1e9, 1e9),
    "num_envs": Range(1, 100_000, whole=True),
    "total_steps": Range(1, 10**12, whole=True),
    "steps_per_update": Range(1, 100_000, whole=True),
}
"""What each number of a tabular learner may be."""

PLANNER_RANGES: Mapping[str, Range] = {
    **{name: TABLE_RANGES[name] for name in ("num_envs", "total_steps", "steps_per_update")},
    "discount": TABLE_RANGES["discount"],
    "bonus": Range(0, 1e9),
    "unseen_value": TABLE_RANGES["initial_value"],
    "plan_every": Range(1, 100_000, whole=True),
    "most_sweeps": Range(1, 1_000_000, whole=True),
    "tolerance": Range(0, 1e9),
}
"""What each number of a learner that plans in a counted model may be."""


def setting_problems(
    settings: Mapping[str, Any], ranges: Mapping[str, Range]
) -> list[PlacedProblem]:
    """Return a problem for every setting outside its range."""
    found = (ranges[name].problem(name, settings[name]) for name in ranges)
    return [problem for problem in found if problem]


def check_learner(settings: Mapping[str, Any]) -> None:
    """Raise ``SettingError`` naming every PPO setting outside its range."""
    problems = setting_problems(settings, LEARNER_RANGES)
    if not problems and settings["num_envs"] * settings["steps_per_update"] == 1:
        what = "num_envs * steps_per_update must be at least 2: one step has no spread"
        problems = [PlacedProblem(what, "num_envs")]
    if problems:
        raise SettingError.of(problems)


def check_rewritable(learner: Any) -> None:
    """Raise ``SettingError`` naming every setting of an A2C, DQN or SAC learner that is wrong."""
    settings = asdict(learner)
    gathered = {name: each for name, each in LEARNER_RANGES.items() if name not in RULE_RANGES}
    more = {name: each for name, each in MEMORY_RANGES.items() if name in settings}
    problems = setting_problems(settings, {**gathered, **more}) + rule_problems(learner)
    if not problems and settings.get("warmup", 1) > settings.get("memory", 1):
        what = "warmup must not exceed memory, or nothing is ever learned"
        problems = [PlacedProblem(what, "warmup")]
    if problems:
        raise SettingError.of(problems)


def rule_problems(rule: LearningRule) -> list[PlacedProblem]:
    """Return everything that is wrong with a learning rule, each at its field."""
    data = asdict(rule)
    found = setting_problems(data, {**RULE_RANGES, **MORE_RANGES.get(data.get("rule", ""), {})})
    if rule.optimiser not in OPTIMISERS:
        what = f"optimiser must be one of {words(OPTIMISERS)}, got {rule.optimiser!r}"
        found.append(PlacedProblem(what, "optimiser"))
    found += _episodic(data.get("episodic", ()))
    word = data.get("rule", "")
    kind = RULES.get(word, LearningRule)
    moved = [name for name in IDLE_FOR.get(word, ()) if data[name] != getattr(kind, name)]
    text = "{} has no use for {}, which rests at its default"
    return found + [PlacedProblem(text.format(word, name), name) for name in moved]


def _episodic(names: Any) -> list[PlacedProblem]:
    if isinstance(names, tuple) and all(isinstance(each, str) for each in names):
        twice = sorted({each for each in names if names.count(each) > 1})
        return [PlacedProblem(f"episodic names {each} twice", "episodic") for each in twice]
    return [PlacedProblem(f"episodic must name objectives, got {names!r}", "episodic")]


def choice_problems(settings: Mapping[str, Any]) -> list[PlacedProblem]:
    """Return a problem for every word that no table's rule knows."""
    return [
        PlacedProblem(f"{name} must be one of {words(allowed)}, got {settings[name]!r}", name)
        for name, allowed in TABLE_CHOICES.items()
        if settings[name] not in allowed
    ]


def words(names: Iterable[str]) -> str:
    """Names in one line."""
    return ", ".join(map(str, names)) or "none"
