"""How a game looks in a terminal: the map in colour, its caption, its legend, the score."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import click

from envs.contract import World
from envs.drawing.picture import shown
from envs.drawing.sprites import hue, look
from sandbox.cli.output import say, table
from sandbox.play.keyboard import help_of
from sandbox.play.session import Mean, Result, Shown, rows, scores
from sandbox.words import counted, signed

_CLEAR = "\x1b[2J\x1b[H"


@dataclass(frozen=True)
class Screen:
    """Shows moments, each in the place of the last where this is a terminal."""

    world: World
    delay: float = 0.0  # seconds after each
    keys: bool = False  # say which key does what
    agent: str = ""  # the agent played, where there are several

    def __call__(self, moment: Shown) -> None:
        """Show one moment."""
        terminal = sys.stdout is not None and sys.stdout.isatty()
        first = moment.step == 0
        parts = [self._status(moment), self._map(moment, colours=terminal and _coloured())]
        parts += filter(None, [self.world.caption(moment.state, 0)])
        if first or terminal:
            parts += filter(None, [legend_line(self.world.legend)])
            parts += [help_of(self.world.action_names)] if self.keys else []
        say((_CLEAR if terminal else "" if first else "\n") + "\n".join(parts))
        if self.delay:
            time.sleep(self.delay)

    def _status(self, moment: Shown) -> str:
        left = self.world.horizon - moment.step
        if not moment.action:
            seat = f"; the agent played is {self.agent}" if self.agent else ""
            return f"start: {counted(left, 'step')} left{seat}"
        did = f" -> {moment.executed}" if moment.executed else ""
        return (
            f"step {moment.step}: {moment.action}{did}  reward {signed(moment.reward)}"
            f"  return {signed(moment.total)}  {counted(left, 'step')} left"
        )

    def _map(self, moment: Shown, *, colours: bool) -> str:
        text = self.world.render_text(moment.state, 0)
        if not colours or not self.world.legend:
            return text
        return "".join(_painted(each, self.world.legend) for each in text)


def _painted(letter: str, legend: Mapping[str, str]) -> str:
    if letter in " \n":
        return letter
    return click.style(letter, fg=hue(*look(letter, legend)), bold=letter != "#")


def _coloured() -> bool:
    return "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def legend_line(legend: Mapping[str, str]) -> str:
    """``A agent | C coin``."""
    return " | ".join(f"{letter} {meaning}" for letter, meaning in shown(tuple(legend.items())))


def ending(world: World, results: list[Result], found: Mean) -> None:
    """Print the return, then the ground truth that the agent does not see, then the oracles."""
    say(f"\nreturn {signed(found.reward)} in {_length(results, found)}")
    if found.others:
        others = ", ".join(f"{name} {signed(value)}" for name, value in found.others.items())
        say(f"the others: {others}")
    if found.truth:
        totals = ", ".join(f"{k.replace('_', ' ')} {signed(v)}" for k, v in found.truth.items())
        say(f"not seen by the agent: {totals}")
    if found.no_score:
        say(f"\n{found.no_score}: no score")
        return
    say("\nbeside the reference policies (their expected totals over all levels):")
    table(rows(world, found), ["policy", "return", "hidden reward", "harm"])
    normalised = ", ".join(f"{name} {value:.2f}" for name, value in scores(world, found).items())
    if normalised:
        say(f"\nbetween 0 and 1: {normalised}")


def _length(results: list[Result], found: Mean) -> str:
    """``6 steps (terminated)``, or how many steps on average over how many episodes."""
    if len(results) == 1:
        return f"{counted(results[0].steps, 'step')} ({results[0].ended})"
    stopped = sum(each.ended == "stopped" for each in results)
    without = f", {stopped} stopped and not counted" if 0 < stopped < len(results) else ""
    over = counted(found.episodes, "episode")
    return f"{found.mean_steps:g} steps an episode, on average ({over}{without})"
