"""Known numbers agree, one that is wrong is found, and a broken part hides no other."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from sandbox.cli.main import cli
from sandbox.errors import InputError
from sandbox.selftest import pages
from sandbox.selftest.check import computed, known
from sandbox.selftest.pages import gathered

PAGES = list(dict.fromkeys(each.page for each in gathered()))


@pytest.mark.parametrize("page", PAGES)
def test_every_known_number_comes_out_again(page):
    for found in computed(gathered([page])):
        assert found.agrees, (found.check.what, found.got, found.error)


def test_i2_comes_before_i10_and_every_family_is_there():
    assert PAGES.index("I2") < PAGES.index("I10")
    assert {"".join(filter(str.isalpha, page)) for page in PAGES} >= {"I", "V", "S", "W"}


def test_a_page_that_does_not_exist_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"--only I99.*there are I1, I2"):
        gathered(["I99"])


def lies(*, right=0.5, error=None):
    def measured():
        if error:
            raise error
        return right

    return [known("X1", "a half", 0.5, 1e-3, measured, "thought")]


@pytest.mark.parametrize(
    ("checks", "code", "said"),
    [
        (lies(), 0, "ok  X1"),
        (lies(right=0.52), 1, "BAD X1"),
        (lies(right=[0.5, 0.5]), 1, "BAD X1"),
        (lies(right=np.nan), 1, "BAD X1"),
        (lies(error=ZeroDivisionError("lost")) + lies(), 1, "ZeroDivisionError: lost"),
    ],
)
def test_it_ends_with_1_where_a_number_is_off_and_goes_on_to_the_next(
    monkeypatch, checks, code, said
):
    monkeypatch.setattr(pages, "gathered", lambda _: checks)
    result = CliRunner().invoke(cli, ["selftest"])

    assert result.exit_code == code
    assert said in result.output
    assert f"{len(checks) - code} of {len(checks)} checks agree" in result.output


def test_programs_get_the_same_rows():
    result = CliRunner().invoke(cli, ["selftest", "--only", "S1, V6", "--json"])
    rows = json.loads(result.output)

    assert [row["page"] for row in rows] == ["S1", "S1", "S1", "V6", "V6"]
    assert all(row["agrees"] and row["difference"] <= row["within"] for row in rows)
