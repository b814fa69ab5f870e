"""Words of our own do not come back: ``old_words.tsv`` says which are left, how often and why."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.project.old_words import WORDS, files, places

LEFT = Path(__file__).with_name("old_words.tsv")


def left():
    with LEFT.open(encoding="utf-8") as text:
        return {row["term"]: row for row in csv.DictReader(text, delimiter="\t")}


@pytest.fixture(scope="module")
def found():
    return Counter(term for term, *_ in places(files()))


@pytest.mark.parametrize("term", sorted(WORDS))
def test_a_word_of_ours_is_left_only_where_the_list_says_why(found, term):
    row = left().get(term, {"places": "0", "reason": ""})
    assert found[term] <= int(row["places"]), "python tests/project/old_words.py prints the places"
    assert bool(row["reason"]) == (row["places"] != "0")


def test_the_list_names_known_words_alone():
    assert set(left()) <= set(WORDS)


def test_a_word_is_found_in_names_and_in_prose(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("The agent was born.\n`same_mind`\nRemind me of a giveaway, untold.\n")
    monkeypatch.setattr("tests.project.old_words.ROOT", tmp_path)
    assert [term for term, *_ in places([page])] == ["birth", "mind"]
