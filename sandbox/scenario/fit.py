"""Checks, before anything starts, whether each agent of a scenario can run in each of its envs.

Only what is cheap and ours is tried: our worlds and Gymnasium's plain envs are made, with the
controls around them, and objectives and editors are started, all without torch. A third-party env
or part may do anything: it is started only in a trial's own process.
"""

import itertools
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np

from agents.architecture.validity import fit_problems, genome_problems
from agents.contract import Objective
from agents.genome import Genome
from agents.part_settings import FAULTS, PlacedProblem
from agents.training.spaces import action_box, action_count, flat_size
from sandbox.contract import Spec, named
from sandbox.design import conditions
from sandbox.env_index import EnvEntry
from sandbox.errors import fault, one_line
from sandbox.scenario import arms, trials
from sandbox.scenario import parts as scenario_parts
from sandbox.scenario.findings import Findings, problems_of
from sandbox.scenario.model import Scenario
from sandbox.scenario.strict_yaml import Path
from sandbox.trial import build, environment
from sandbox.trial.controls import MisfitError, NeedsError, controlled
from sandbox.words import condition_name

COPIES = 2
"""As many copies of an env are made to ask it."""
PLAIN = ("gymnasium.envs.classic_control.", "gymnasium.envs.toy_text.")
"""Modules of Gymnasium's envs that are made in no time and need nothing else."""


@dataclass(frozen=True)
class _Sizes:
    """What agents meet in an env with its controls: where they all look and act alike, one pair."""

    spaces: tuple[tuple[Any, Any], ...]
    labelled: bool  # True, too, where the learner needs no labels


def fits(found: Findings, scenario: Scenario, known: Mapping[str, EnvEntry]) -> None:
    """Note every agent that cannot be initialised, or cannot run in an env, each at its key.

    Every distinct pair is asked once, whatever condition or seed it occurs in.
    """
    asked = _Asked(found, scenario)
    turned = conditions(scenario.levers, scenario.design)
    for condition, (i, env) in itertools.product(turned, enumerate(scenario.envs)):
        asked.ask(trials.trial(scenario, env, condition, scenario.seeds[0]).spec, i, known)


@dataclass
class _Asked:
    """What was answered so far, by the JSON of what was asked about."""

    found: Findings
    scenario: Scenario
    answers: dict[str, Any] = field(default_factory=dict)

    def ask(self, spec: Spec, i: int, known: Mapping[str, EnvEntry]) -> None:
        """Ask about one trial; ``i`` is the place of its env."""
        agent = {key: spec[key] for key in self.scenario.agent}
        arm = spec["condition"].get("arm")
        parts = self._once("parts", [agent, arm], lambda: self._parts(spec))
        if parts is None or not made_here(spec["env"], known):
            return
        supervised = parts.learner.genome_rule().get("rule") == "supervised"
        place = [spec["env"], spec["controls"], spec["controls"] and spec["objective"], supervised]
        sizes = self._once("sizes", place, lambda: self._met(spec, i, supervised=supervised))
        if sizes is not None:
            self._once("pair", [agent, arm, place], lambda: self._live(spec, parts, sizes))

    def _once(self, kind: str, question: Any, answer: Callable[[], Any]) -> Any:
        key = kind + json.dumps(question, sort_keys=True)
        if key not in self.answers:
            self.answers[key] = answer()
        return self.answers[key]

    # --- the agent alone -----------------------------------------------------------------------

    def _parts(self, spec: Spec) -> build.Parts | None:
        """The parts of an agent, asked what needs no env; ``None`` where one cannot be made."""
        try:
            parts = build.Parts.of(spec)
            genome = parts.genome(spec)
        except FAULTS as error:  # a part may refuse a lever's dose in any way
            what = f"condition {condition_name(spec['condition'])}: {fault(error)}"
            self.found.add(("levers",), one_line(what), at_key=True)
            return None
        for problem in genome_problems(genome):
            self.found.add(self._genetic(spec, problem), problem)
        self._named(spec, genome)
        self._edits(spec, genome, parts)
        return parts

    def _genetic(self, spec: Spec, problem: PlacedProblem) -> Path:
        part, *names = problem.path
        if part == "objective":
            return self._at(spec, "objective", *names)
        layered = part == "architecture"
        return self._at(spec, "architecture") if layered else self._part(spec, "learner")

    def _named(self, spec: Spec, genome: Genome) -> None:
        """What ends with the episode must be something that this agent is rewarded by."""
        own = {"extrinsic", *spec["objective"]}
        for each in getattr(genome.learning_rule, "episodic", ()):
            if each not in own:
                arm = spec["condition"].get("arm")
                whose = f"arm '{arm}'" if arm in self.scenario.arms else "this agent"
                what = f"episodic names '{each}', no objective of {whose}: it has"
                at = (*self._part(spec, "learner"), "episodic")
                self.found.add(at, f"{what} {', '.join(sorted(spec['objective']))}")

    def _edits(self, spec: Spec, genome: Genome, parts: build.Parts) -> None:
        at = self._part(spec, "editor")
        if not _is_ours(parts.editor):
            return
        plan = getattr(parts.editor, "plan", ())
        scenario_parts.refused(self.found, (*at, "plan"), plan, genome, parts.edits)
        try:
            parts.editor.start(parts.edits, np.random.default_rng(0))
        except ValueError as error:
            self.found.add(at, f"editor '{at[-1]}': {error}", at_key=True)
        except FAULTS as error:  # an edit that it names may be third-party, and load only here
            self.found.add(at, one_line(f"editor '{at[-1]}': {fault(error)}"), at_key=True)

    # --- the env, and the agent in it ----------------------------------------------------------

    def _met(self, spec: Spec, i: int, *, supervised: bool) -> _Sizes | None:
        """What an agent sees and does; ``None`` where the env or a control of it cannot be."""
        env_id = spec["env"]["id"]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a trial says it, too
                place = environment.trial_env(spec, COPIES)
        except FAULTS as error:  # whatever it is, every trial would meet it
            whole = str(error) if env_id in str(error) else f"env '{env_id}': {fault(error)}"
            self.found.add(("envs", i, "kwargs"), one_line(whole), at_key=True)
            return None
        steps = build.part("learners", spec["learner"]).total_steps
        try:
            place = controlled(spec, place, steps)
            return _Sizes(_spaces(place), not supervised or _labelled(place))
        except FAULTS as error:  # as above
            self.found.add(self._to_blame(spec, i, error), fault(error), at_key=True)
            return None
        finally:
            place.env.close()

    def _to_blame(self, spec: Spec, i: int, error: BaseException) -> Path:
        if not isinstance(error, MisfitError | NeedsError):
            return ("envs", i)
        part, name = map(str, error.path)
        if part == "objective":
            return self._at(spec, "objective", name)
        return arms.place_of_control(self.scenario, _arm(spec), i, name)

    def _live(self, spec: Spec, parts: build.Parts, sizes: _Sizes) -> None:
        """Try an agent's learner and objectives on the spaces it would meet."""
        env_id, at = spec["env"]["id"], self._part(spec, "learner")
        if _is_ours(parts.learner):
            genome = parts.genome(spec)
            if not sizes.labelled:
                what = f"env '{env_id}' gives no labels; learner '{at[-1]}' needs one that does"
                self.found.add(at, what, at_key=True)
            for spaces in sizes.spaces:
                self._on(spec, parts, genome, spaces)

    def _on(self, spec: Spec, parts: build.Parts, genome: Genome, spaces: tuple[Any, Any]) -> None:
        env_id, at = spec["env"]["id"], self._part(spec, "learner")
        try:
            seen = flat_size(spaces[0])
            actions = _actions(parts.learner.continuous, spaces[1])
        except ValueError as error:
            written = at[0] == "arms" or "learner" in (self.found.document.data.get("agent") or {})
            first = [each["id"] for each in self.scenario.envs].index(env_id)
            what = f"env '{env_id}' and this agent do not fit: {error}"
            self.found.add(at if written else ("envs", first), what, at_key=written)
            return
        sound = not genome_problems(genome)
        for problem in fit_problems(genome, seen, actions) if sound else ():
            what = f"env '{env_id}' and this agent do not fit: {problem}"
            self.found.add(self._genetic(spec, problem), what)
        for name, each in parts.objectives.items():
            reason = self._unstarted(each, seen, actions, choices=not parts.learner.continuous)
            if reason is not None:
                self._live_objective(spec, name, reason)

    def _unstarted(
        self, each: Objective, seen: int, actions: int, *, choices: bool
    ) -> PlacedProblem | None:
        """Why an objective cannot start, in one line; ``None`` where it can, or is third-party."""
        if not _is_ours(each):
            return None
        if each.discrete and not choices:
            return PlacedProblem("it distinguishes actions, so they must be Discrete")

        def start() -> PlacedProblem | None:
            try:
                each.start(seen, actions, np.random.default_rng(0))
            except ValueError as error:
                path, what = next(problems_of(error))
                return PlacedProblem(one_line(what), *path)
            except FAULTS as error:  # every trial would meet it
                what = f"it cannot start: {type(error).__name__}: {fault(error)}"
                return PlacedProblem(one_line(what))
            return None

        found: PlacedProblem | None = self._once("objective", [repr(each), seen, actions], start)
        return found

    def _live_objective(self, spec: Spec, name: str, reason: PlacedProblem) -> None:
        at = self._at(spec, "objective", name, *reason.path)
        what = f"objective '{name}' and env '{spec['env']['id']}' do not fit: "
        said = reason.removeprefix(f"{name}: ")  # some name themselves in their message
        self.found.add(at, what + said, at_key=not reason.path)

    # --- places in the file --------------------------------------------------------------------

    def _part(self, spec: Spec, part: str) -> Path:
        """Where the one name of a learner or an editor is written."""
        return self._at(spec, part, named(spec[part]).name)

    def _at(self, spec: Spec, part: str, *more: str | int) -> Path:
        """Where a part of this trial's agent is written: in its arm, if that has its own."""
        return arms.place(self.scenario, _arm(spec), part, *more)


def _arm(spec: Spec) -> str:
    return str(spec["condition"].get("arm", arms.AGENT))


def made_here(env: Mapping[str, Any], known: Mapping[str, EnvEntry]) -> bool:
    """May this env be made here? Our worlds, and Gymnasium's plain ones with nothing around them.

    One that would open a window may not.
    """
    entry = known.get(env["id"])
    if entry is None or entry.world:
        return entry is not None and entry.origin == "built in"
    registered = gym.registry.get(entry.id)
    if registered is None or registered.additional_wrappers or "render_mode" in env["kwargs"]:
        return False
    code = (registered.entry_point, registered.vector_entry_point or PLAIN[0])
    return all(isinstance(each, str) and each.startswith(PLAIN) for each in code)


def _is_ours(part: object) -> bool:
    return type(part).__module__.startswith("agents.")


def _spaces(place: environment.TrialEnv) -> tuple[tuple[Any, Any], ...]:
    """Observation and action space of every agent, each distinct pair once."""
    seen, acts = place.env.single_observation_space, place.env.single_action_space
    if not isinstance(acts, gym.spaces.MultiDiscrete):
        return ((seen, acts),)
    row = gym.spaces.Box(seen.low[0], seen.high[0], dtype=seen.dtype)
    return tuple((row, gym.spaces.Discrete(int(n))) for n in sorted(set(acts.nvec.tolist())))


def _actions(continuous: bool, space: Any) -> int:
    return int(action_box(space).low.size) if continuous else action_count(space)


def _labelled(place: environment.TrialEnv) -> bool:
    """Does the env say which action was right? One step of it shows."""
    if len(place.agents) > 1:
        return False
    place.env.reset()
    info = place.env.step(place.env.action_space.sample())[4]
    return "label" in info or "label" in (info.get("final_info") or {})
