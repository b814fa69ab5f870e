"""Which trials of a run folder are compared with which."""

import pytest

from sandbox.analysis.effects import computed, effect, metric, pairs_of
from sandbox.contract import Measurement
from sandbox.errors import InputError
from sandbox.record.store import read_run
from sandbox.verdicts.frames import verdicts
from tests.sandbox.synthetic_run import register_anew


def test_trials_kept_from_under_other_levers_are_not_compared(scenario, write_run):
    """A lever was taken out of the scenario; its old trials, at its other dose too, remain.

    They once shifted the effect of the lever that was left, and a seed added since was missing.
    """
    folder = write_run({**scenario, "design": "full"}, wrong_goal=by_both)
    alone = {**scenario, "levers": {"data_coverage": [0, 0.5]}}
    fresh = write_run({**alone, "seeds": [*range(7)]}, wrong_goal=by_both, name="fresh")
    for trial in (fresh / "trials").iterdir():
        trial.rename(folder / "trials" / trial.name)
    register_anew(folder, {**alone, "seeds": [*range(7)]})

    run = read_run(folder)
    found = effect(run, "data_coverage", "goal_misgeneralisation")

    assert {seed: len(pairs) for seed, pairs in pairs_of(run, "data_coverage").items()} == (
        dict.fromkeys(range(7), 1)
    )
    assert (found.base, found.treated, found.n, found.missing) == (1.0, 0.0, 7, {})


def by_both(condition, rng):
    """Coverage helps only where the editor is free."""
    del rng
    return float(not condition["data_coverage"] or condition.get("freeze_editor", 0))


def test_seeds_lost_to_one_arm_are_said_to_bias_what_is_left(scenario, write_run):
    broken = {("data_coverage=0.5,freeze_editor=0", seed): "non-finite loss" for seed in (1, 4)}

    (judged,) = verdicts(read_run(write_run(scenario, broken=broken)))

    assert judged.verdict.notes[-1] == (
        "2 of 6 seeds could not be compared: 0 trials failed at 0, 2 at 0.5;"
        " the remaining seeds may be a biased sample"
    )


def boom():
    raise ValueError("boom")


@pytest.mark.parametrize(
    ("gives", "what"),
    [
        (boom, "failed: ValueError: boom"),
        (lambda: Measurement(float("nan"), 1), "gave nan"),
        (lambda: 3.0, "failed: AttributeError"),
        (lambda: Measurement("x", 1), "failed: TypeError"),
    ],
)
def test_a_metric_that_misbehaves_is_named(monkeypatch, gives, what):
    monkeypatch.setattr(type(metric("harm")), "compute", lambda *_: gives())
    with pytest.raises(InputError, match=f"metric 'harm': error: {what}.* of trial abc"):
        computed("harm", [], "abc")
