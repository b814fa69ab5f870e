"""The committed JSON Schema is what form and part folders make, and agrees with the loader."""

import json

import jsonschema
import pytest

from sandbox.scenario import schema
from sandbox.scenario.source import shipped
from sandbox.scenario.strict_yaml import parse, read


@pytest.fixture(scope="module")
def validator():
    made = json.loads(schema.FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def test_the_committed_schema_is_up_to_date():
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run: make generated"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_scenarios_satisfy_it(validator, name):
    assert list(validator.iter_errors(read(shipped()[name]).data)) == []


def test_the_modeline_of_the_scenarios_points_to_it():
    assert (shipped()["quickstart"].parent / "../scenario.schema.json").resolve() == schema.FILE


SMALL = "schema: 1\nquestion: Does it work?\nenvs: [CartPole-v1]\nmetrics: [capability]\n"


@pytest.mark.parametrize(
    ("more", "good"),
    [
        ("agent: {learner: ppo}", True),
        ("agent: {learner: {ppo: }}", True),
        ("agent: {learner: {ppo: {num_envs: 8}}}", True),
        ("agent: {learner: {ppo: {num_env: 8}}}", False),
        ("agent: {learner: pppo}", False),
        ("agent: {objective: {rnd: 0.3, extrinsic: {weight: 1.0}}}", True),
        ("agent: {editor: {bandit: {edits: [widen]}}}", True),
        ("seeds: 3", True),
        ("seeds: [1, 2]", True),
        ("seeds: {first: 1, count: 2}", True),
        ("seeds: x", False),
        ("probes: [held_out]", True),
        ("levers: {compute: [1, 0.5]}", True),
        ("levers: {comput: [1, 0.5]}", False),
        ("gate: {max_flops: null, protect: [objective]}", True),
        ("unknown: 1", False),
    ],
)
def test_editors_show_what_the_loader_would_say(validator, more, good):
    assert validator.is_valid(parse(SMALL + more, "s.yaml").data) == good
