"""The controls of a trial: put around its training env, each between the two sides of a meter.

Evaluation is never controlled: probes play the env as it is, the same for all arms of a scenario.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

import envs
from agents.part_settings import FAULTS, PlacedProblem
from envs.control_kit.control import Control
from envs.control_kit.meter import ControlMeter
from sandbox.catalogue import catalogue
from sandbox.contract import Spec, named
from sandbox.errors import InputError, SandboxError, TrialError, fault
from sandbox.record.events import Controlled
from sandbox.seeding import trial_streams
from sandbox.trial.build import part
from sandbox.trial.environment import TrialEnv, trial_env

SEVERAL = "the env has several agents; a control acts on envs of one"


class Misfit(PlacedProblem):
    """A control and an env that do not fit, in words; ``path``: "control" and its name."""

    __slots__ = ("reason",)
    reason: str  # without the names of control and env

    @classmethod
    def of(cls, spec: Spec, name: str, reason: str) -> Self:
        """Say it of a control of this spec and its env."""
        what = f"control '{name}' and env '{spec['env']['id']}' do not fit: {reason}"
        found = cls(what, "control", name)
        found.reason = reason
        return found


class MisfitError(TrialError):
    """A control refuses the env, or an objective lacks a control.

    ``path``: "control" or "objective", and its name.
    """

    def __init__(self, problem: PlacedProblem) -> None:
        super().__init__(problem)
        self.path = problem.path


class NeedsError(InputError):
    """An objective fails to say which controls it needs; ``path``: as of ``MisfitError``."""

    def __init__(self, problem: PlacedProblem) -> None:
        super().__init__(problem)
        self.path = problem.path


def settings(spec: Spec) -> dict[str, Any]:
    """Control -> its settings; the spec of a run made before there were controls has none."""
    return dict(spec.get("controls", {}))


def controlled(spec: Spec, place: TrialEnv, span_steps: int) -> TrialEnv:
    """Put the spec's controls around the env; the first by name is the innermost.

    Raises ``MisfitError`` where a control refuses the env, or an objective lacks its control.
    """
    control_meters = {}
    for name in sorted(settings(spec)):
        problem = misfit(spec, name, place.env)
        if problem:
            raise MisfitError(problem)
        control = _made(spec, name)
        rng, duplicate = (trial_streams(spec)(f"control {name} {control.seed}") for _ in range(2))
        control_meters[name] = ControlMeter(
            control, place.env, rng=rng, duplicate=duplicate, span_steps=span_steps
        )
        place = replace(place, env=control_meters[name].env)
    lacking = unmet(spec) or _hidden(spec, control_meters, place.env)
    if lacking:
        raise MisfitError(lacking)
    return replace(place, control_meters=control_meters)


def unmet(spec: Spec) -> PlacedProblem | None:
    """Which control an objective of the spec needs and has not, in one line, at the objective."""
    given = settings(spec)
    for name, control, wanted in _needs(spec):
        held = part("controls", {control: given[control]}) if control in given else None
        if held and held.intensity and all(getattr(held, k, None) == v for k, v in wanted.items()):
            continue
        said = ", ".join(["an intensity above 0", *(f"{k}: {v}" for k, v in wanted.items())])
        what = f"objective '{name}' needs the control '{control}' with {said}"
        return PlacedProblem(what, "objective", name)
    return None


def _hidden(
    spec: Spec, control_meters: Mapping[str, ControlMeter], outermost: Any
) -> PlacedProblem | None:
    """What an objective reads at the end of an observation must stay there."""
    for name, control, _ in _needs(spec):
        shown = control_meters[control].env.single_observation_space.shape
        if shown != outermost.single_observation_space.shape:
            what = f"objective '{name}' needs the control '{control}' to be the last that is shown"
            return PlacedProblem(what, "objective", name)
    return None


def _needs(spec: Spec) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Objective, control, settings that this must have."""
    for name, fields in spec.get("objective", {}).items():
        try:
            needs = [
                (c, dict(wanted))
                for c, wanted in part("objectives", {name: fields}).needs().items()
            ]
        except FAULTS as error:  # a third-party objective
            what = f"objective '{name}': its needs fail: {fault(error)}"
            raise NeedsError(PlacedProblem(what, "objective", name)) from error
        for control, wanted in needs:
            yield name, control, wanted


def misfit(spec: Spec, name: str, env: Any = None) -> Misfit | None:
    """Why the control ``name`` of the spec cannot act on its env, ``None`` where it can.

    ``env``: with the controls further inside around it; else it is made, to know beforehand what
    can be known. A third-party env is checked when the trial makes it.
    """
    try:
        env = _beforehand(spec) if env is None else env
    except SandboxError:
        return None  # the check of envs reports it
    reason = SEVERAL if isinstance(env, list) else None
    if not reason and env is not None:
        reason = _made(spec, name).refuse(env)
    reason = reason or _clash(spec, name)
    return Misfit.of(spec, name, reason) if reason else None


def _beforehand(spec: Spec) -> Any:
    """The spec's env before anything is around it; a list of several agents', ``None``: unknown."""
    env_id = spec["env"]["id"]
    kind = envs.env_ids().get(env_id)
    if kind == "joint" or env_id in catalogue().parallel:
        return []
    if kind is None:
        return None
    return trial_env(spec, named(spec["learner"]).settings.get("num_envs", 1)).env


def _made(spec: Spec, name: str) -> Control:
    made: Control = part("controls", {name: settings(spec)[name]})
    return made


def swapping(spec: Spec) -> list[str]:
    """Names of the spec's controls, intensity above 0, that decide which levels are drawn."""
    kinds = {name: catalogue().load("controls", name) for name in settings(spec)}
    return [k for k, v in kinds.items() if v.swaps_levels and settings(spec)[k]["intensity"]]


def _clash(spec: Spec, name: str) -> str | None:
    """Two controls of levels conflict: the outer one replaces the levels of the inner one."""
    found = swapping(spec)
    others = [each for each in found if each != name]
    if name not in found or not others:
        return None
    return f"control '{others[0]}' decides which levels are drawn, too; use one of them"


def reading(name: str, control_meter: ControlMeter, update: int, steps: int) -> Controlled:
    """What one control did in one update, as its meter measured it."""
    found = control_meter.read()
    return Controlled(
        control=name,
        update=update,
        steps=steps,
        intensity=control_meter.control.intensity,
        effective_intensity=found.effective_intensity,
        measured=dict(found.measured),
        expected=dict(found.expected),
        error=dict(found.error),
    )
