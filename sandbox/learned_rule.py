"""Levers that choose between two words of a tabular learner: what they refuse, do and see.

A lever file names a setting of the learner and its two words, and says nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.events import Event, TrialStarted


class WordLever(Lever):
    """Sets ``learner.<setting>``: dose 0 is the word it was left at, dose 1 the other."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0
    setting: ClassVar[str]
    words: ClassVar[Mapping[float, str]]

    def check(self, spec: Spec, dose: float) -> str | None:
        """One of the two, of a learner that has the choice and was left at the first."""
        ((name, settings),) = spec["learner"].items()
        setting, words = self.setting, self.words
        if dose not in words:
            listed = " or ".join(f"{each} ({at:g})" for at, each in sorted(words.items()))
            return f"'{setting}' is {listed}, not {dose:g}"
        if setting not in settings:
            return f"learner '{name}' has no '{setting}'; use one that has, like tabular"
        if settings[setting] not in {words[0.0], words[dose]}:
            wanted = f"leave it at '{words[0.0]}'"
            return f"the scenario sets '{setting}' to '{settings[setting]}'; {wanted}"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Give the learner this word."""
        if dose == self.neutral:
            return spec
        ((name, settings),) = spec["learner"].items()
        return {**spec, "learner": {name: {**settings, self.setting: self.words[dose]}}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """The agents were born with the word, read back from them alive. ``None``: nobody was."""
        born = [each for each in events if isinstance(each, TrialStarted)]
        rules = [genome["learning_rule"] for each in born for genome in each.genomes.values()]
        word = self.words[dose]
        return all(rule.get(self.setting) == word for rule in rules) if rules else None
