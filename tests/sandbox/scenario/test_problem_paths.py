"""Where a problem stands in the file follows from its path alone, whatever its words are."""

import hashlib
import importlib.util
from dataclasses import fields
from itertools import product
from pathlib import Path

import pytest

import envs.world_kit.settings
from agents import part_settings
from agents.part_settings import PlacedProblem, SettingError
from sandbox.catalogue import Catalogue, catalogue, plug_module
from sandbox.errors import InputError, fault
from sandbox.record.events import Updated
from sandbox.scenario import findings, load, parts
from sandbox.scenario import fit as scenario_fit
from sandbox.trial import controls

HERE = Path(__file__).resolve().parent
HEAD = "schema: 1\nquestion: Where?\nmetrics: [capability]\nenvs: [sandbox/CoinGrid-v0]\n"
SEVERAL = """\
agent:
  objective: {extrinsic: 1.0e99, feature_pay: {first: 999}, empowerment: {gap: 7, steps: 0}}
  editor: {schedule: {plan: [{every: 1, edit: identity}, {every: 0, edit: widen}]}}
controls: {sticky_actions: 7, caregiver: {intensity: 1, says: nothing}}
probes: {empowerment_map: {gap: 5}}
"""
LACKS_CONTROL = "agent: {objective: {extrinsic: 1, diayn: 1}}\n"
COVERS_SKILL = "agent: {objective: {diayn: 1}}\ncontrols: {skill: 1, social_exposure: 0.5}\n"
TABLE = "agent: {learner: {tabular: {step_size: 7, rule: sarsa_max}}, architecture: {trunk: [8]}}\n"
LAYERS = "agent: {architecture: {layers: [{kind: dense, units: 8}, {kind: norm, units: 7}]}}\n"
HEADS = (
    "agent:\n  editor:\n    schedule:\n      plan:\n"
    "        - {every: 1, edit: add_attention, units: 4, heads: 0}\n"
)


def _module(name):
    spec = importlib.util.spec_from_file_location(f"texts_of_{name}", HERE / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def _cases(module, argument):
    """The texts that the tests of a module call bad: parameters of those that want problems."""
    for test in vars(module).values():
        code = getattr(test, "__code__", None)
        if code is None or "problems" not in code.co_varnames[: code.co_argcount]:
            continue
        for mark in getattr(test, "pytestmark", ()):
            names, rows = mark.args if mark.name == "parametrize" else ((), ())
            if argument in names:
                yield from (row[names.index(argument)] for row in rows)


def _bad():
    plain, fit = _module("test_scenario"), _module("test_fit")
    yield plain.BAD
    yield from (plain.SMALL + more for more in _cases(plain, "more"))
    yield from (fit.HEAD + text for text in _cases(fit, "text"))
    for text in (SEVERAL, LACKS_CONTROL, COVERS_SKILL, TABLE, LAYERS, HEADS):
        yield HEAD + text


BAD = tuple(_bad())


def _nonsense(text):
    return f"nonsense {hashlib.sha256(str(text).encode()).hexdigest()[:16]}"


@pytest.fixture
def scrambled(monkeypatch):
    """Every word that a part says of what is wrong becomes nonsense; the paths stay."""

    def new(cls, what, *path):
        found = str.__new__(cls, _nonsense(what))
        found.path = path
        return found

    monkeypatch.setattr(PlacedProblem, "__new__", new)
    for kind in (part_settings.SettingError, envs.world_kit.settings.WorldSettingError):
        monkeypatch.setattr(kind, "__str__", lambda error: _nonsense(error.args[0]))
    for module in (controls, findings, scenario_fit, parts):
        if hasattr(module, "fault"):
            monkeypatch.setattr(module, "fault", lambda error: _nonsense(fault(error)))


@pytest.fixture
def problems(tmp_path):
    def found(text):
        path = tmp_path / "bad.yaml"
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            load.load(path)
        return {each.where.replace(f"{path}:", ""): each.what for each in caught.value.problems}

    return found


@pytest.mark.parametrize("nth", range(len(BAD)))
def test_a_place_is_found_without_reading_what_is_said(problems, request, nth):
    text = problems(BAD[nth])
    request.getfixturevalue("scrambled")
    assert set(problems(BAD[nth])) == set(text)


def test_the_tests_own_texts_are_many_and_their_words_are_scrambled(problems, scrambled):
    assert len(BAD) > 50
    said = [what for text in BAD for what in problems(text).values()]
    assert sum("nonsense" in each for each in said) > 20


PART_FOLDERS = ("worlds", "controls", "learners", "objectives", "values", "editors", "probes")
OF_SEVERAL = {"prisoners"}  # it refuses four numbers together


@pytest.mark.parametrize("folder", PART_FOLDERS)
def test_our_parts_say_which_number_they_refuse(folder):
    refused = []
    for name in catalogue().names(folder):
        kind = catalogue().load(folder, name)
        own = {each.name for each in fields(kind) if each.init}
        numbers = [each.name for each in fields(kind) if type(each.default) in {int, float}]
        for number, value in product(numbers, (-1, 0, 10**18)):
            try:
                kind(**{number: value})
            except ValueError as error:
                paths = [path for path, _ in findings.problems_of(error)]
                about_own = any(path and path[0] in own for path in paths)
                refused.append((name, number, value, about_own or name in OF_SEVERAL))
    assert refused
    assert [each for each in refused if not each[-1]] == []


PLUGGED = """
from dataclasses import dataclass

from agents.part_settings import PlacedProblem, SettingError
from agents.objectives.count import Count


@dataclass(frozen=True)
class Plain(Count):
    bonus: float = 1.0

    def __post_init__(self):
        raise ValueError("bonus is wrong; weight item 1 is, too")


@dataclass(frozen=True)
class Placed(Plain):
    def __post_init__(self):
        raise SettingError.of([PlacedProblem("that is too much", "bonus"), "it is all wrong"])
"""


@pytest.fixture
def plugged(tmp_path, monkeypatch):
    (tmp_path / "paths_of_theirs.py").write_text(PLUGGED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(catalogue(), "plugged", {})
    for name in ("Plain", "Placed"):
        catalogue().add("objectives", name.lower(), f"paths_of_theirs:{name}")


def test_a_third_party_plain_error_stands_at_its_part(problems, plugged):
    found = problems(HEAD + "agent:\n  objective:\n    plain: {weight: 1, bonus: 2}\n")
    words = "bonus is wrong; weight item 1 is, too"
    assert found == {"7:12": f"agent.objective.plain: {words}"}


def test_a_third_party_error_with_a_path_stands_at_its_setting(problems, plugged):
    found = problems(HEAD + "agent:\n  objective:\n    placed: {weight: 1, bonus: 2}\n")
    assert found == {
        "7:13": "agent.objective.placed: it is all wrong",
        "7:32": "agent.objective.placed: that is too much",
    }


def test_where_to_look_for_a_module_follows_from_its_name(tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("lost", name=name)

    (tmp_path / "lies_here.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(InputError, match=r"ModuleNotFoundError: lost; it lies in this folder"):
        plug_module(Catalogue(), "lies_here")


def test_a_problem_keeps_its_words_and_grows_a_path():
    problem = PlacedProblem("units is 0", "units").inside("layers", 2)
    assert (problem, problem.path) == ("units is 0", ("layers", 2, "units"))
    assert SettingError(problem).problems == (problem,)
    assert str(SettingError.of([problem, "so is the rest"])) == "units is 0; so is the rest"


def test_an_account_is_split_by_the_names_of_the_objectives():
    losses = {
        "value_loss": 1.0,
        "a lessons": 2.0,
        "a b lessons": 3.0,
        "a fidelity at": 4.0,
        "c d": 5.0,
    }
    update = Updated("agent", 1, 1, 0.0, 1, 0, None, {"a": 0.0, "a b": 0.0}, losses)
    assert list(update.accounts()) == [
        ("a", "lessons", 2.0),
        ("a b", "lessons", 3.0),
        ("a", "fidelity at", 4.0),
    ]
