"""Claims about a table: one line, a mapping or a file, each with the keys of a scenario's claim."""

import pytest

from sandbox.errors import InputError
from sandbox.judging import claim_form
from sandbox.scenario.form import ClaimForm

LINE = "harm: careful < plain by 0.05"
KEYS = {
    "metric": "harm",
    "treatment": "careful",
    "control": "plain",
    "direction": "lower",
    "smallest_effect": 0.05,
}


def read(given):
    return claim_form.from_words(given, "claim")


def test_a_line_a_mapping_and_yaml_say_the_same():
    text = "{metric: harm, treatment: careful, control: plain, direction: lower,"
    assert read(LINE) == read(KEYS) == read(f"{text} smallest_effect: 0.05}}")
    found = read(LINE)
    assert (found["alpha"], found["role"], found["over"]) == (0.01, "claim", "mean")


def test_names_may_hold_signs_and_spaces():
    found = read("harm: coverage=0.5, frozen > a plain one by 1_000 in hut by the sea")
    assert found["treatment"] == "coverage=0.5, frozen"
    assert found["control"] == "a plain one"
    assert found["smallest_effect"] == 1000
    assert (found["direction"], found["env"]) == ("higher", "hut by the sea")


def test_every_key_of_a_scenarios_claim_is_a_key_here():
    assert set(ClaimForm.model_fields) <= set(claim_form.TableClaimForm.model_fields)
    assert read({**KEYS, "effect_of": "condition"}) == read(KEYS)
    doses = {key: each for key, each in KEYS.items() if key != "treatment"}
    assert read({**doses, "dose": "careful"}) == read(KEYS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("harm: careful < plain", "must be 'METRIC: TREATED < CONTROL by SMALLEST'"),
        ("", "must be 'METRIC: TREATED < CONTROL by SMALLEST'"),
        ("harm: a < b by none", "smallest_effect: must be a number (got 'none')"),
        ("harm: a < b by 0", "smallest_effect: must be greater than 0"),
        ("harm: a < b by -1", "smallest_effect: must be greater than 0"),
        ("harm: a < b by .inf", "smallest effect: must be a finite number"),
        ("harm: a < a by 1", "'a' is the treatment, too"),
        ({**KEYS, "alhpa": 0.1}, "unknown key 'alhpa' — did you mean 'alpha'?"),
        ({**KEYS, "alpha": 0.5}, "alpha: must be at most 0.1"),
        ({**KEYS, "dose": "other"}, "is the treatment, and another one is given"),
        ({**KEYS, "effect_of": "arm"}, "effect_of: must be 'condition'"),
        ({"metric": "harm"}, "'direction' is missing"),
        ({**KEYS, "treatment": None}, "'treatment' is missing"),
        ({**KEYS, "metric": object()}, "cannot be read"),
        ("{metric: harm", "YAML syntax"),
    ],
)
def test_a_claim_that_is_none_says_why(given, words):
    with pytest.raises(InputError) as error:
        read(given)
    assert words in str(error.value)


def test_a_file_of_claims_names_line_and_column(tmp_path):
    path = tmp_path / "claims.yaml"
    good = f"  - {{{', '.join(f'{k}: {v}' for k, v in KEYS.items())}}}\n"
    path.write_text(f"claims:\n{good}")
    assert claim_form.from_file(path) == [read(KEYS)]
    path.write_text(f"claims:\n{good}  - metric: harm\n    alpha: 2\n")
    with pytest.raises(InputError) as error:
        claim_form.from_file(path)
    assert f"{path}:4:12: error: claims.1.alpha: must be at most 0.1 (got 2)" in str(error.value)
    assert f"{path}:3:5: error: 'direction' is missing in claims.1" in str(error.value)
    path.write_text("claims: []\n")
    with pytest.raises(InputError, match="must have at least 1"):
        claim_form.from_file(path)
    path.write_text(f"question: why?\nclaims:\n{good}")
    with pytest.raises(InputError, match="unknown key 'question'"):
        claim_form.from_file(path)
