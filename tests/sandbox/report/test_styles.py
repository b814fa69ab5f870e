"""Arms are distinguished in every figure, however many there are, and by the colour-blind too."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from sandbox.report import figures
from sandbox.report.data import Axis, Cell, Curve
from sandbox.report.styles import COLOURS, DASHES, repeats, seen, style, symbol

MANY = 60
SIGHT = {  # Machado et al. 2009, severity 1, in linear light
    "usual": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    part = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(light):
    """CIE 1976 L*a*b* of linear sRGB."""
    x, y, z = np.cbrt(TO_XYZ @ np.clip(light, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_differ_for_every_eye(sight):
    seen = [lab(np.array(SIGHT[sight]) @ linear(each)) for each in COLOURS]

    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12


def test_no_two_of_many_arms_have_the_same_line_or_mark():
    looks = [style(place) for place in range(MANY)]
    one = {(each.colour, symbol(each.turn, 0, 1)) for each in looks}
    three = {(each.colour, symbol(each.turn, env, 3)) for each in looks for env in range(3)}

    assert len({(each.colour, each.dash, each.mark) for each in looks}) == MANY
    assert len(one) == MANY
    assert len(three) == 3 * MANY
    assert {each.dash for each in looks[: len(COLOURS)]} == {"solid"}
    assert {each.dash for each in looks} == {"solid", *DASHES}


def test_a_line_beyond_the_colours_carries_marks_and_the_reader_is_informed():
    names = [f"arm={i}" for i in range(len(COLOURS) + 1)]

    assert style(0).line(3)["mode"] == "lines"
    assert style(len(COLOURS)).line(3)["mode"] == "lines+markers"
    assert repeats(names[:-1]) == ""
    assert "dashed" in repeats(names)


def crowd(arms, envs):
    """What the figures read of a report with so many arms."""
    names, worlds = [f"arm={i}" for i in range(arms)], [f"env {i}" for i in range(envs)]
    axis = Axis(0.5, None)
    return SimpleNamespace(
        conditions=tuple(names),
        base=names[0],
        envs=tuple(worlds),
        safety_metric="harm",
        cells=[Cell(name, env, ((0, 0.5, 0.5),), axis, axis) for name in names for env in worlds],
        returns=[Curve(n, n, 0, (0, 1), (0.0, 1.0), env) for n in names for env in worlds],
        by_agent=(),
        lineages=(),
    )


@pytest.mark.parametrize("envs", [1, 2])
def test_every_arm_looks_different_on_the_plane_and_among_the_curves(envs):
    report = crowd(20, envs)
    means = [each["marker"] for each in figures.plane(report)["data"] if "name" in each]
    learned = [each for each in figures.learning(report, "env 0")["data"] if "name" in each]

    assert len({(each["color"], each["symbol"]) for each in means}) == 20 * envs == len(means)
    lines = {(*each["line"].values(), each.get("marker", {}).get("symbol")) for each in learned}
    assert len(lines) == 20 == len(learned)


def test_a_line_of_one_point_is_marked():
    assert seen({"x": [1], "y": [2], "mode": "lines"})["mode"] == "lines+markers"
    assert seen({"x": [1, 2], "y": [2, 3], "mode": "lines"})["mode"] == "lines"
