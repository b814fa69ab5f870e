"""Where the rule of the probe ``constraint`` is planted: in the agent, in its data, or outside."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from sandbox.analysis.metric_base import started
from sandbox.catalogue import catalogue
from sandbox.contract import Lever, Spec, named
from sandbox.errors import did_you_mean
from sandbox.record.events import Controlled, Event, Updated

PLACES: Mapping[str, str] = {
    "none": "",
    "architecture": "guard",
    "objective": "breach_penalty",
    "data": "counterexamples",
    "data_throughout": "counterexamples",
    "shield": "shield",
}
"""Dose -> what plants it there."""
BOUND = 20.0
"""Taken from the logit of a masked action: e-20 is two in a thousand million."""


@dataclass(frozen=True)
class ConstraintLocation(Lever):
    """Doses: where the same rule is kept, as the probe ``constraint`` states it.

    ``architecture``: a mask on the policy's outputs. ``objective``: an objective with a reward of
    -1 a breach, its weight the ``price``. ``data``: until the planting ends, the training data
    subtract the price from the reward of every breach; ``data_throughout``: to the end of training.
    ``shield``: outside the agent, a breach is replaced before it reaches the world. ``none``:
    nowhere.
    """

    family = "oversight"
    named = True
    neutral: ClassVar[str] = "none"

    def check(self, spec: Spec, dose: str) -> str | None:
        """Return what is missing, is there already, or comes too early; ``None`` for ``none``."""
        if dose not in PLACES:
            hint = did_you_mean(str(dose), PLACES)
            return f"a constraint's location is one of {', '.join(PLACES)}, not '{dose}'{hint}"
        if dose == self.neutral:
            return None
        if "constraint" not in spec["probes"]:
            return "the rule to plant is stated by the probe 'constraint': add it under probes"
        reason = _early(spec) or _unmade(spec, dose)
        if reason or PLACES[dose] not in catalogue().names("controls"):
            return reason
        from sandbox.trial.controls import misfit  # noqa: PLC0415  (what a report loads imports no envs)

        found = misfit(self.apply(spec, dose), PLACES[dose])
        return found.reason if found else None

    def apply(self, spec: Spec, dose: str) -> Spec:
        """Plant it there."""
        if dose == self.neutral:
            return spec
        made = _planted(spec, dose)
        if dose == "architecture":
            guards = [each for each in spec["architecture"].get("guards", []) if each != made]
            return {**spec, "architecture": {**spec["architecture"], "guards": [*guards, made]}}
        part = "objective" if dose == "objective" else "controls"
        return {**spec, part: {**spec[part], PLACES[dose]: made}}

    def manipulation_check(self, events: Sequence[Event], dose: str) -> bool | None:
        """The agents start with it, or the control was active; and nothing else was."""
        first = started(events)
        if first is None or not any(isinstance(each, Updated) for each in events):
            return None
        genomes = first.genomes.values()
        worked = {
            e.control for e in events if isinstance(e, Controlled) and e.effective_intensity > 0
        }
        return {
            "guard": any(each["architecture"].get("guards") for each in genomes),
            "breach_penalty": any("breach_penalty" in each["objective"] for each in genomes),
            "counterexamples": "counterexamples" in worked,
            "shield": "shield" in worked,
        } == {each: each == PLACES[dose] for each in list(dict.fromkeys(PLACES.values()))[1:]}


def _rule(spec: Spec) -> dict[str, Any]:
    probe = catalogue().load("probes", "constraint")
    return {**asdict(probe()), **spec["probes"]["constraint"]}


def _planted(spec: Spec, dose: str) -> dict[str, Any]:
    """The guard, objective or control, every setting in it."""
    rule = _rule(spec)
    said = {key: rule[key] for key in ("feature", "threshold", "action")}
    if dose == "architecture":
        return {"kind": "mask", "bound": BOUND, **said}
    if dose == "objective":
        made = catalogue().load("objectives", "breach_penalty")(weight=rule["price"], **said)
    elif dose == "shield":
        made = catalogue().load("controls", "shield")(1.0, instead=rule["instead"], **said)
    else:
        end = _planting(spec) if dose == "data" else 1.0
        kind = catalogue().load("controls", "counterexamples")
        made = kind(1.0, end=end, price=rule["price"], **said)
    return asdict(made)


def _planting(spec: Spec) -> float:
    """Share of the training steps after which the planting ends; no step of the next update."""
    name, settings = named(spec["learner"])
    whole = {**_defaults(name), **settings}
    steps = (_rule(spec)["planting"] * whole["steps_per_update"] - 0.5) * whole["num_envs"]
    return float(steps / whole["total_steps"])


def _defaults(learner: str) -> dict[str, Any]:
    made = catalogue().load("learners", learner)()
    return asdict(made)


def _early(spec: Spec) -> str | None:
    """Editors wait until the constraint is planted."""
    planting = _rule(spec)["planting"]
    key = "first_updates_without_edits"
    if spec["gate"].get(key, 0) < planting:
        return f"edits begin before it is planted, after {planting} updates: set gate.{key} to that"
    return None


def _unmade(spec: Spec, dose: str) -> str | None:
    """Error where the scenario plants it itself or the part cannot be made."""
    part = {"architecture": "architecture", "objective": "objective"}.get(dose, "controls")
    if dose == "architecture" and not spec["architecture"]["layers"]:
        return "a table has no outputs that a guard could mask"
    if dose != "architecture" and PLACES[dose] in spec[part]:
        return f"the scenario sets {part}.{PLACES[dose]} itself; remove it there"
    try:
        _planted(spec, dose)
    except (KeyError, ZeroDivisionError):
        return "the learner does not say how many steps an update has"
    except ValueError as error:
        return f"planting at {_rule(spec)['planting']} updates: {error}"
    return None
