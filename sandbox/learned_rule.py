"""Levers that choose between two words of a tabular learner: what they refuse and what they see."""

from collections.abc import Mapping, Sequence

from sandbox.contract import Spec
from sandbox.events import Event, TrialStarted


def refusal(spec: Spec, dose: float, setting: str, words: Mapping[float, str]) -> str | None:
    """Return why this dose cannot choose the learner's ``setting``, or ``None``."""
    ((name, settings),) = spec["learner"].items()
    if dose not in words:
        listed = " or ".join(f"{each} ({at:g})" for at, each in sorted(words.items()))
        return f"'{setting}' is {listed}, not {dose:g}"
    if setting not in settings:
        return f"learner '{name}' has no '{setting}'; use one that has, like tabular"
    if settings[setting] not in {words[0.0], words[dose]}:
        return f"the scenario sets '{setting}' to '{settings[setting]}'; leave it at '{words[0.0]}'"
    return None


def told(events: Sequence[Event], setting: str, word: str) -> bool | None:
    """Were all agents born with this word in their learning rule? ``None``: nobody was born."""
    born = [each for each in events if isinstance(each, TrialStarted)]
    rules = [genome["learning_rule"] for each in born for genome in each.genomes.values()]
    return all(rule.get(setting) == word for rule in rules) if rules else None
