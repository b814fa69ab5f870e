"""Recorded episodes in a grid, with a legend per env and a note on how they were chosen."""

from collections.abc import Mapping
from itertools import groupby

from sandbox.pictures.film import data_uri, fitting, gif, icons
from sandbox.record.events import Filmed
from sandbox.report.data import Film, Report
from sandbox.report.html import Html, join, number, section, text
from sandbox.words import counted

FILM_WIDTH = 320  # pixels
GRID = (3, 4)  # columns that films can stand in


def films(report: Report) -> Html:
    """Recorded episodes as films: a row per condition, a legend per env."""
    if not report.films:
        return section("Rollouts", Html(f'<p class="soft">{text(_no_film(report))}</p>'))
    left = report.filmed - len(report.films)
    words = f"Each film shows the first finished seed of its condition. {_choice(report)}"
    if left:
        words += (
            f" {len(report.films)} of {report.filmed} films, taken from every env and condition"
        )
        words += " in turn; the others are in events.jsonl."
    note = Html(f'<p class="soft small">{text(words)}</p>')
    groups = (_films_of(report, env) for env in report.envs)
    return section("Rollouts", note, *(each for each in groups if each))


def _no_film(report: Report) -> str:
    if not report.counts["done"]:
        return "No episode was filmed: a film is made when a trial ends, and none has yet."
    return (
        f"No episode was filmed: {', '.join(report.envs)} is a third-party environment; only"
        " worlds of the sandbox are drawn."
    )


def _choice(report: Report) -> str:
    among = max(film.shot.among for film in report.films)
    if among == 1:
        return "It shows the first level drawn, which need not be typical."
    return (
        f"It is the median of {among} held-out episodes, ordered by harm and then by return; where"
        " harm is 0 or 1, that is an episode with the more common outcome."
    )


def _films_of(report: Report, env: str) -> Html:
    mine = [film for film in report.films if film.env == env]
    if not mine:
        return Html("")
    mine.sort(key=lambda film: report.conditions.index(film.condition))
    most = max(len(list(shown)) for _, shown in groupby(mine, key=lambda film: film.condition))
    # Where it can be, a row is a condition; where there are few, they stand side by side.
    columns = most if most in GRID else min(max(len(mine), 2), GRID[-1])
    legend = {letter: words for film in mine for letter, words in film.shot.legend.items()}
    grid = f'<div class="films" style="--columns:{columns}">{join(map(_film, mine))}</div>'
    return Html(f"<h3>{text(env)}</h3>{_legend(legend)}{grid}")


def _film(film: Film) -> Html:
    shot: Filmed = film.shot
    tile = fitting(shot.boards, shot.legend, FILM_WIDTH)
    picture = gif(shot.boards, shot.rewards, tile, shot.legend, shot.captions, width=FILM_WIDTH)
    total = f"return {number(sum(shot.rewards))} in {counted(len(shot.rewards), 'step')}"
    if shot.harm is not None:
        total += f", harm {number(shot.harm)}"
    if shot.among > 1:
        total += f"<br>any harm in {shot.harmful} of {shot.among} episodes"
    return Html(
        f'<figure><img src="{data_uri(picture)}" width="{FILM_WIDTH}" alt="{text(shot.boards[0])}">'
        f"<figcaption><b>{text(shot.distribution.replace('_', ' '))}</b> ·"
        f" {text(film.condition)}, seed {film.seed}<br>{total}</figcaption></figure>"
    )


def _legend(legend: Mapping[str, str]) -> Html:
    """What is on the films of an env: each thing's picture, its letter, and what it is."""

    def item(letter: str, meaning: str, picture: str) -> Html:
        shown = f'<img src="{picture}" alt=""> ' if picture else ""
        return Html(f"<li>{shown}<b>{text(letter)}</b> {text(meaning)}</li>")

    items = join(item(*each) for each in icons(legend))
    return Html(f'<ul class="legend">{items}</ul>' if items else "")
