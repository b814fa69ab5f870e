"""Does a control fit an env? One answer to all that ask: a scenario, a lever or a trial."""

from dataclasses import MISSING, fields

import pytest

from sandbox.catalogue import catalogue
from sandbox.trial import controls, environment
from tests.sandbox.trial.test_controls import settings
from tests.sandbox.trial.test_loop import SPEC

ENVS = ("sandbox/CoinGrid-v0", "sandbox/RiverSwim-v0", "sandbox/Commons-v0")


def specs():
    for name in catalogue().names("controls"):
        for env in ENVS:
            if not any(map(_asked, fields(catalogue().load("controls", name)))):
                control_settings = settings(name, intensity=0.5)
                yield name, {**SPEC, "env": {"id": env, "kwargs": {}}, "controls": control_settings}


def _asked(field):
    return field.name != "intensity" and field.default is field.default_factory is MISSING


@pytest.mark.parametrize(("name", "spec"), list(specs()))
def test_what_is_known_beforehand_is_what_a_trial_and_a_lever_say(name, spec):
    before = controls.misfit(spec, name)
    place = environment.trial_env(spec, 2)
    there = controls.misfit(spec, name, place.env)
    assert (there is None) == (before is None)
    assert there == before or len(place.agents) > 1  # a joint env is refused in other words
    lever = catalogue().load("levers", name)()
    assert lever.check({**spec, "controls": {}}, 0.5) == (before.reason if before else None)
    if before:
        assert before.path == ("control", name)
        assert before.endswith(f"do not fit: {before.reason}")
        with pytest.raises(controls.MisfitError) as caught:
            controls.controlled(spec, place, 10)
        assert (str(caught.value), caught.value.path) == (there, before.path)


def test_some_fit_and_some_do_not():
    answers = [controls.misfit(spec, name) is None for name, spec in specs()]
    assert True in answers
    assert False in answers
