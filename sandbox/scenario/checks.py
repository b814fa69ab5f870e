"""What the keys of a scenario mean together: envs, levers, metrics and claims.

The first half needs names only and runs whatever else is wrong; the second half applies levers to
the resolved scenario and runs when everything else is right.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.contract import Objective
from sandbox.catalogue import catalogue
from sandbox.contract import named
from sandbox.design import conditions, level
from sandbox.env_index import EnvEntry
from sandbox.scenario import arms, trials
from sandbox.scenario.findings import Findings, dotted
from sandbox.scenario.model import Scenario
from sandbox.scenario.strict_yaml import Path
from sandbox.words import Dose, dose_label, env_label

JSON = dict[str, Any]


def names(found: Findings, data: JSON, known: Mapping[str, EnvEntry]) -> None:
    """Check everything that is a name: envs, levers, metrics, and what the claims are about."""
    _envs(found, data.get("envs"), known)
    levers, metrics = data.get("levers"), data.get("metrics")
    for name, doses in levers.items() if isinstance(levers, dict) else ():
        if name not in catalogue().parts("levers"):
            found.no_such(("levers", name), "lever", name, catalogue().names("levers"))
        else:
            _kind_of_doses(found, name, doses)
        _different(found, ("levers", name), doses, "dose")
    for i, name in enumerate(metrics if isinstance(metrics, list) else ()):
        if isinstance(name, str) and name not in catalogue().parts("metrics"):
            found.no_such(("metrics", i), "metric", name, catalogue().names("metrics"))
    _different(found, ("metrics",), metrics, "metric")
    _different(found, ("seeds",), data.get("seeds"), "seed")
    gate = data.get("gate")
    if isinstance(gate, dict):
        for key in ("protect", "write_scope"):
            _different(found, ("gate", key), gate.get(key), "part")
        _edits(found, gate.get("allow"))
    claims = data.get("claims")
    claims = [claims] if isinstance(claims, dict) else claims
    for i, claim in enumerate(claims if isinstance(claims, list) else ()):
        if isinstance(claim, dict):
            _claim(found, i, claim, data)


def levers(found: Findings, scenario: Scenario) -> None:
    """Check every dose against every env, and that no two levers touch the same thing."""
    for env in scenario.envs:
        spec = trials.base_spec(scenario, env, scenario.seeds[0])
        reach: dict[str, set[tuple[str, ...]]] = {}
        for name, doses in scenario.levers.items():
            lever = trials.lever(name)
            reach[name] = set()
            for i, dose in enumerate(doses):
                reason = lever.check(spec, dose)
                if reason:
                    found.add(("levers", name, i), f"lever '{name}': {reason}")
                else:
                    reach[name] |= set(trials.touched(spec, lever.apply(spec, dose)))
        if _apart(found, reach):
            _together(found, scenario, spec)


def _together(found: Findings, scenario: Scenario, spec: JSON) -> None:
    """Check every lever where another has been applied, at doses that a condition gives together.

    Of the other's doses the first and the last stand for all: what clashes does so from 0 on.
    """
    made = {name: trials.lever(name) for name in scenario.levers}
    for one, other in itertools.permutations(scenario.levers, 2):
        firsts, seconds = scenario.levers[one], scenario.levers[other]
        for first, second in _meetings(firsts, seconds, full=scenario.design == "full"):
            alone = made[one].check(spec, first) or made[other].check(spec, second)
            reason = alone or made[other].check(made[one].apply(spec, first), second)
            if reason and not alone:
                at = ("levers", other, seconds.index(second))
                found.add(at, f"lever '{other}' beside '{one}' at {dose_label(first)}: {reason}")


def _meetings(
    firsts: Sequence[Dose], seconds: Sequence[Dose], *, full: bool
) -> list[tuple[Dose, Dose]]:
    """Doses of two levers that occur in one condition; in one of both designs all do."""
    if full:
        return list(dict.fromkeys(itertools.product((firsts[0], firsts[-1]), seconds)))
    return list(dict.fromkeys([(firsts[-1], seconds[0]), *((firsts[0], each) for each in seconds)]))


def controls(found: Findings, scenario: Scenario) -> None:
    """Ask every control about every env, where the env can be asked before a trial makes it."""
    parts = (*scenario.envs, *scenario.arms.values())
    if not scenario.controls and not any("controls" in each for each in parts):
        return
    from sandbox.trial.controls import misfit  # noqa: PLC0415  (makes envs: only if there are controls)

    for i, env in enumerate(scenario.envs):
        spec = trials.base_spec(scenario, env, scenario.seeds[0])
        for path, settings in _controls_met(scenario, i):
            problem = misfit({**spec, "controls": settings}, str(path[-1]))
            if problem:
                found.add(path, problem, at_key=True)


def needed(found: Findings, scenario: Scenario) -> None:
    """Check that every objective has, in every condition, the controls that it needs."""
    kinds = {name for _, agent in arms.agents(scenario) for name in agent["objective"]}
    plain = Objective.needs
    if all(catalogue().load("objectives", kind).needs is plain for kind in kinds):
        return
    from sandbox.trial.controls import unmet  # noqa: PLC0415  (as above)

    turned = conditions(scenario.levers, scenario.design)
    for condition, env in itertools.product(turned, scenario.envs):
        reason = unmet(trials.trial(scenario, env, condition, scenario.seeds[0]).spec)
        if reason:
            arm = str(condition.get("arm", arms.AGENT))
            found.add(arms.place(scenario, arm, "objective"), reason, at_key=True)


def _controls_met(scenario: Scenario, i: int) -> Iterator[tuple[Path, JSON]]:
    """Where each control of an env is written, and all that some agent meets beside it."""
    whole = {**scenario.controls, **scenario.envs[i].get("controls", {})}
    for name in whole:
        yield arms.place_of_control(scenario, arms.AGENT, i, name), whole
    for arm, parts in scenario.arms.items():
        own = parts.get("controls", {})
        for name in own:
            yield arms.place_of_control(scenario, arm, i, name), {**whole, **own}


def fit(found: Findings, scenario: Scenario, known: Mapping[str, EnvEntry]) -> None:
    """Check that the learner is for such an architecture, and as many agents as each env has."""
    for path, agent in arms.agents(scenario):
        name = named(agent["learner"]).name
        learner = catalogue().load("learners", name)
        if agent["architecture"]["layers"] and not learner.layered:
            what = f"learner '{name}' has no network; write 'architecture: {{trunk: []}}'"
            found.add((*path, "architecture"), what)
        for i, env in enumerate(scenario.envs):
            joint = known[env["id"]].joint
            if joint != learner.joint:
                agents = "several agents" if joint else "one agent"
                others = [each for each in catalogue().names("learners") if _joint(each) == joint]
                what = f"env '{env['id']}' has {agents}; learner '{name}' is not for that"
                found.add(("envs", i), f"{what}, use {' or '.join(others) or 'another'}")


def size(found: Findings, scenario: Scenario, limit: int) -> None:
    """Refuse what would run too long before anything is written."""
    would = trials.count(scenario)
    if would > limit:
        what = f"would run {would:,} trials (limit {limit:,}; raise with --max-trials)"
        found.add(("levers",) if scenario.levers else ("seeds",), what, at_key=True)


def looks(found: Findings, scenario: Scenario) -> None:
    """Check that interim analyses rise, end with the last seed, and each could decide something."""
    asked, seeds, claims = list(scenario.looks), len(scenario.seeds), len(scenario.claims)
    if asked != sorted(set(asked)):
        found.add(("looks",), f"numbers of seeds must rise from one to the next (got {asked})")
    elif asked and asked[-1] != seeds:
        what = f"the last of them must be the number of seeds, {seeds} (got {asked[-1]})"
        found.add(("looks",), what)
    alpha = min((each["alpha"] for each in scenario.claims), default=1.0)
    for i, n in enumerate(asked):
        share, smallest = level(alpha, asked, n) / max(claims, 1), 2.0**-n
        if claims and smallest > share:
            what = (
                f"with {n} seeds the smallest p is {smallest:.2g}, above the level of this analysis"
            )
            found.add(("looks", i), f"{what}, {share:.2g}: it could decide nothing")


def _envs(found: Findings, written: Any, known: Mapping[str, EnvEntry]) -> None:
    seen: list[Any] = []
    for i, item in enumerate(written if isinstance(written, list) else ()):
        env_id = item.get("id") if isinstance(item, dict) else item
        if not isinstance(env_id, str):
            continue
        path = ("envs", i, "id") if isinstance(item, dict) else ("envs", i)
        if ":" in env_id:
            what = "a scenario cannot name a module: register the env in a plug-in"
            found.add(path, f"env id {env_id[:80]!r} holds a colon; {what}")
        elif env_id not in known:
            found.no_such(path, "env", env_id, known)
        written_out = item if isinstance(item, dict) else {}
        whole = (env_id, written_out.get("kwargs") or {}, written_out.get("name"))
        if whole in seen:
            what = f"env '{env_id}' is listed twice with the same kwargs; give each a name"
            found.add(path, what)
        seen.append(whole)
    names = [item.get("name") for item in _mappings(written)]
    for i, item in enumerate(written if isinstance(written, list) else ()):
        name = item.get("name") if isinstance(item, dict) else None
        if name is not None and names.count(name) > 1:
            found.add(("envs", i, "name"), f"several envs are called '{name}'")


def _mappings(written: Any) -> list[JSON]:
    return [each for each in written if isinstance(each, dict)] if isinstance(written, list) else []


def _kind_of_doses(found: Findings, lever: str, doses: Any) -> None:
    """Names where the lever chooses by name, numbers everywhere else."""
    try:
        named = catalogue().load("levers", lever).named
    except Exception:  # noqa: BLE001  (third-party module: whatever applies the lever reports the error)
        return
    for i, dose in enumerate(doses if isinstance(doses, list) else ()):
        if isinstance(dose, str) != named and isinstance(dose, str | int | float):
            at = ("levers", lever, i)
            wanted = "a name" if named else "a number"
            found.add(at, f"{dotted(at)}: must be {wanted} (got {dose!r})")


def _different(found: Findings, path: tuple[str, ...], items: Any, kind: str) -> None:
    """Doses are compared as they are printed: two conditions must not share a name."""
    seen: set[str] = set()
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict | list):
            continue
        text = (
            f"{item:g}"
            if isinstance(item, float) or (kind == "dose" and type(item) is int)
            else str(item)
        )
        if text in seen:
            found.add((*path, i), f"{kind} {text} is listed twice")
        seen.add(text)


def _edits(found: Findings, allowed: Any) -> None:
    """Check the names of the only edits that a gate allows."""
    _different(found, ("gate", "allow"), allowed, "edit")
    for i, name in enumerate(allowed if isinstance(allowed, list) else ()):
        if isinstance(name, str) and name not in catalogue().parts("edits"):
            found.no_such(("gate", "allow", i), "edit", name, catalogue().names("edits"))


def _claim(found: Findings, i: int, claim: JSON, data: JSON) -> None:
    metrics, doses = data.get("metrics"), data.get("levers") or {}
    metric, lever = claim.get("metric"), claim.get("effect_of")
    if isinstance(metric, str) and isinstance(metrics, list) and metric not in metrics:
        listed = [each for each in metrics if isinstance(each, str)]
        found.no_such(("claims", i, "metric"), "metric of this scenario", metric, listed)
    if not isinstance(lever, str) or not isinstance(doses, dict):
        return
    if lever not in doses:
        found.no_such(("claims", i, "effect_of"), "lever of this scenario", lever, sorted(doses))
    elif isinstance(doses[lever], list) and len(doses[lever]) < 2:  # noqa: PLR2004
        found.add(("claims", i, "effect_of"), f"lever '{lever}' has one dose; an effect needs two")
    elif isinstance(doses[lever], list) and claim.get("dose") is not None:
        dose, rest = claim["dose"], doses[lever][1:]
        if dose not in rest:
            known = ", ".join(map(str, rest))
            what = f"dose: lever '{lever}' is held against its first dose at {known}, not {dose}"
            found.add(("claims", i, "dose"), what)


def claimed_envs(found: Findings, scenario: Scenario) -> None:
    """Check that a claim is about an env of this scenario, or of several on one scale."""
    labels = [env_label(scenario.resolved(), env) for env in scenario.envs]
    for i, claim in enumerate(scenario.claims):
        if claim.get("env") is not None and claim["env"] not in labels:
            found.no_such(("claims", i, "env"), "env of this scenario", claim["env"], labels)
        low, high = catalogue().load("metrics", claim["metric"]).range
        if claim.get("env") is None and len(labels) > 1 and not math.isfinite(high - low):
            what = (
                f"{claim['metric']} has another scale in every env: it cannot be averaged over them"
            )
            found.add(("claims", i, "metric"), f"{what}; name one ('env: ...') or claim each apart")


def _apart(found: Findings, reach: Mapping[str, set[tuple[str, ...]]]) -> bool:
    """No two levers may change the same key: do they keep apart?"""
    listed, apart = list(reach), True
    for i, one in enumerate(listed):
        for other in listed[i + 1 :]:
            shared = trials.overlap(reach[one], reach[other])
            if shared is not None:
                what = f"levers '{one}' and '{other}' both change {'.'.join(shared)}; turn one"
                found.add(("levers", other), what, at_key=True)
                apart = False
    return apart


def _joint(learner: str) -> bool:
    return bool(catalogue().load("learners", learner).joint)
