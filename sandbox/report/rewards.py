"""Reward by objective: its reward over training, and when the mixing weight was handed over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from statistics import fmean, median
from typing import NamedTuple

from sandbox.analysis.effects import env_name
from sandbox.record.events import Updated
from sandbox.report.data import Report, short_name
from sandbox.report.html import (
    NOTHING,
    Figure,
    Html,
    axis,
    blank,
    figure,
    number,
    place,
    section,
    table,
    text,
)
from sandbox.report.styles import Style, repeats, seen, styles

MOST_POINTS = 100  # of one line
MOST_PANELS = 12  # of one env
MOST_ENVS = 4
MOST_ROWS = 60
HANDED = 0.5
REWARD, BOUND = "reward", "fidelity_at_least"
MEANING = {
    "alpha": "alpha, its mixing weight",
    "fidelity": "fidelity (thin: its lower bound, one-sided, 95 % by default)",
    "doubt": "doubt, nats",
}
"""Numbers reported by an objective that have a panel, in this order."""
COLUMNS = (
    "arm",
    "objective",
    "first alpha",
    "last alpha",
    "handed over",
    "when, steps",
    "bound",
    "lessons",
)


class _Line(NamedTuple):
    """What one line shows."""

    env: str
    condition: str
    objective: str
    what: str  # "reward", or a number that the objective itself reports


@dataclass
class _Account:
    """One number of one arm: trial -> steps -> its values, one an agent."""

    trials: dict[str, dict[int, list[float]]] = field(default_factory=dict)

    def add(self, trial: str, steps: int, value: float) -> None:
        """Write one value down."""
        self.trials.setdefault(trial, {}).setdefault(steps, []).append(value)

    def mean(self) -> tuple[list[int], list[float]]:
        """Return (steps, means) over seeds and agents, in few enough points, each of one span."""
        at: dict[int, list[float]] = {}
        for by_step in self.trials.values():
            for steps, values in by_step.items():
                at.setdefault(steps, []).append(fmean(values))
        every = -(-len(at) // MOST_POINTS)
        spans = [sorted(at)[i : i + every] for i in range(0, len(at), every)]
        means = [fmean(x for step in span for x in at[step]) for span in spans]
        return [span[-1] for span in spans], [float(f"{each:.5g}") for each in means]

    def histories(self) -> list[list[tuple[int, float]]]:
        """Of every trial: (steps, mean over agents), in order."""
        return [
            [(steps, fmean(each)) for steps, each in sorted(by_step.items())]
            for by_step in self.trials.values()
        ]


Accounts = Mapping[_Line, _Account]


def live_objectives(report: Report) -> Iterator[Html]:
    """One section; none where the env's own reward is the only one."""
    found = _accounts(report)
    if {each.objective for each in found} <= {"extrinsic"}:
        return
    several, shown = len(report.envs) > 1, report.envs[:MOST_ENVS]
    pieces = []
    for env in shown:
        pieces += [Html(f"<h3>{text(env)}</h3>")] if several else []
        pieces += [figure(_sheet(report, found, env), "No update has been recorded yet.")]
    left = len(report.envs) - len(shown)
    cut = f" {left} more envs are not drawn." if left else ""
    yield section(
        "Reward by objective", _note(report, found, cut), *pieces, *_handovers(report, found)
    )


def _note(report: Report, found: Accounts, cut: str) -> Html:
    words = (
        "Reward of each objective per step, as the learner receives it: objective weight and mixing"
        " weight included, mean over all seeds, one line per condition,"
        f" in at most {MOST_POINTS} points."
        " Scales differ from panel to panel. A reward does not show what the agent did; an"
        " objective whose reward is 0 has no effect on learning."
    )
    if any(each.what != REWARD for each in found):
        words += " Below: what objectives that learn from another agent report about themselves."
    return Html(f'<p class="soft small">{text(words + repeats(report.conditions) + cut)}</p>')


def _accounts(report: Report) -> dict[_Line, _Account]:
    """Everything that updates report about objectives."""
    found: dict[_Line, _Account] = {}
    for trial in report.run.trials:
        here = env_name(report.run, trial), short_name(report.run, trial.spec["condition"])
        for each in trial.events:
            if isinstance(each, Updated):
                for objective, what, value in _reported(each):
                    line = _Line(*here, objective, what)
                    found.setdefault(line, _Account()).add(trial.id, each.steps, value)
    return found


def _reported(each: Updated) -> Iterator[tuple[str, str, float]]:
    """(objective, what, value): its reward, and what it reports under the name of a loss."""
    for objective, reward in each.rewards.items():
        yield objective, REWARD, reward
    for objective, what, value in each.accounts():
        if what in {*MEANING, BOUND, "lessons"}:
            yield objective, what, value


# --- the curves --------------------------------------------------------------------------------


def _sheet(report: Report, found: Accounts, env: str) -> Figure | None:
    """One panel per objective, then one for each number that it reports."""
    mine = [each for each in found if each.env == env]
    order = [REWARD, *MEANING]
    panels = sorted(
        {(order.index(each.what), each.objective) for each in mine if each.what in order}
    )[:MOST_PANELS]
    if not panels:
        return None
    looks, named = styles(report.conditions), set[str]()
    layout, traces = blank(len(panels)), []
    reach = 1.01 * max(steps for each in mine for at in found[each].trials.values() for steps in at)
    for i, (kind, objective) in enumerate(panels):
        what = order[kind]
        heading = f"{objective}: {'reward per step' if what == REWARD else MEANING[what]}"
        ranges: Figure = {"x": {"range": [0, reach]}, "y": _range(what)}
        place(layout, (i, len(panels)), heading, ("environment steps", ""), **ranges)
        axes = {"xaxis": axis("x", i + 1), "yaxis": axis("y", i + 1)}
        for rank, (condition, look) in enumerate(looks.items(), 1):
            line = _Line(env, condition, objective, what)
            if line in found:
                traces.append(
                    {
                        **_trace(line, found[line], look, condition not in named),
                        **axes,
                        "legendrank": rank,
                    }
                )
                named.add(condition)
            bound = line._replace(what=BOUND)
            if what == "fidelity" and bound in found:
                traces.append({**_thin(bound, found[bound], look), **axes})
    return {"data": traces, "layout": layout}


def _range(what: str) -> Figure:
    if what in {"alpha", "fidelity"}:
        return {"range": [-0.04, 1.04]}
    return {"rangemode": "tozero", "exponentformat": "e"}


def _trace(line: _Line, account: _Account, look: Style, first: bool) -> Figure:
    x, y = account.mean()
    name = escape(line.condition)
    label = f"{name}, n={len(account.trials)}"
    return seen(
        {
            "type": "scatter",
            **look.line(2.5),
            "x": x,
            "y": y,
            "name": name,
            "legendgroup": name,
            "showlegend": first,
            "hovertemplate": f"{label}<br>%{{x}} steps: %{{y}}<extra></extra>",
        }
    )


def _thin(line: _Line, account: _Account, look: Style) -> Figure:
    x, y = account.mean()
    return seen(
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "line": {"color": look.colour, "width": 1},
            "opacity": 0.6,
            "hoverinfo": "skip",
            "legendgroup": escape(line.condition),
            "showlegend": False,
        }
    )


# --- did it hand over, and when? ---------------------------------------------------------------


def _handovers(report: Report, found: Accounts) -> Iterator[Html]:
    """A row for each arm and objective that reports about itself; nothing where there is none."""
    lines = {each._replace(what="") for each in found if each.what != REWARD}
    if not lines:
        return
    envs, arms = list(report.envs), list(report.conditions)
    ordered = sorted(lines, key=lambda x: (envs.index(x.env), arms.index(x.condition), x.objective))
    several = len(envs) > 1
    rows, before = [], ""
    for line in ordered[:MOST_ROWS]:
        env = [text(line.env if line.env != before else "")] if several else []
        rows.append([*env, *_row(line, found)])
        before = line.env
    left = len(ordered) - len(rows)
    words = (
        "Alpha is the mixing weight of the learned value after an update; it applies from the next"
        f" update on. Handed over: trials in which it was ever at least {HANDED};"
        " when: the first such update, the median of these trials (and the range). Bound:"
        " the highest lower bound of fidelity. Lessons: steps learned from, at the end. These and"
        " the alphas are means over seeds. An objective without an alpha is added to the others and"
        " does not reduce their weight." + (f" {left} more rows are left out." if left else "")
    )
    yield Html("<h3>Handover: whether and when</h3>")
    yield Html(f'<p class="soft small">{text(words)}</p>')
    head = [*(["env"] if several else []), *COLUMNS]
    yield table(head, rows, range(2 + several, len(head)))


def _row(line: _Line, found: Accounts) -> list[Html]:
    def histories(what: str) -> list[list[tuple[int, float]]]:
        account = found.get(line._replace(what=what))
        return account.histories() if account else []

    shares, bounds = histories("alpha"), histories(BOUND)
    lessons = [history[-1][1] for history in histories("lessons")]
    return [
        text(line.condition),
        text(line.objective),
        *_when(shares),
        _mean([max(value for _, value in history) for history in bounds]),
        _mean(lessons),
    ]


def _when(shares: Sequence[Sequence[tuple[int, float]]]) -> list[Html]:
    if not shares:
        return [text("no alpha"), Html(""), Html(""), Html("")]
    reached = [[steps for steps, share in history if share >= HANDED][:1] for history in shares]
    when = [steps for each in reached for steps in each]
    median_text = "never"
    if when:
        spread = f" ({min(when):,} to {max(when):,})" if min(when) < max(when) else ""
        median_text = f"{median(when):,.0f}{spread}"
    return [
        _mean([each[0][1] for each in shares]),
        _mean([each[-1][1] for each in shares]),
        text(f"{len(when)} of {len(shares)}"),
        text(median_text),
    ]


def _mean(values: Sequence[float]) -> Html:
    return number(fmean(values)) if values else NOTHING
