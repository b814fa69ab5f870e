"""The rows about verdicts notice a rule that errs too often, and one that answers wrongly."""

import pytest

from sandbox.selftest import error_rates, verdicts
from sandbox.selftest.check import computed
from sandbox.selftest.gather import gathered
from sandbox.verdicts.verdict import judge


def disagreeing(check_id):
    return [each.check.what for each in computed(gathered([check_id])) if not each.agrees]


def test_a_rule_at_five_percent_errs_more_often_than_it_may(monkeypatch):
    monkeypatch.setattr(error_rates, "ALPHA", 0.05)
    assert len(disagreeing("T2")) == len(gathered(["T2"]))


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (lambda found, smallest: judge([-each for each in found], smallest), (2, -2)),
        (lambda found, smallest: judge(found, 5 * smallest), (2, -2)),
        (lambda found, smallest: judge(found, smallest / 10), (0,)),
    ],
    ids=["turned round", "too strict", "too lenient"],
)
def test_a_rule_that_answers_wrongly_is_noticed(monkeypatch, rule, wrong):
    monkeypatch.setattr(verdicts, "judge", rule)
    monkeypatch.setattr(verdicts, "PLANTS", 40)
    said = [f"planted effect of {size:g} times" for size in wrong]
    found = disagreeing("T1")
    assert [each.partition(" the smallest")[0] for each in found] == said
