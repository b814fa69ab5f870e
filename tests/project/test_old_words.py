"""Words of our own do not come back: two lists say which are left, how often and why.

``old_words.tsv`` is of the sources and pages, ``old_words_in_tests.tsv`` of the tests.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.project.old_words import PLACES, TESTS, WORDS, files, places

LISTS = {"old_words.tsv": PLACES, "old_words_in_tests.tsv": TESTS}


def left(name):
    with Path(__file__).with_name(name).open(encoding="utf-8") as text:
        return {row["term"]: row for row in csv.DictReader(text, delimiter="\t")}


@pytest.fixture(scope="module", params=sorted(LISTS))
def found(request):
    """The list, and how often each term is found where it counts."""
    counts = Counter(term for term, *_ in places(files(LISTS[request.param])))
    return left(request.param), counts


@pytest.mark.parametrize("term", sorted(WORDS))
def test_a_word_of_ours_is_left_only_where_the_list_says_why(found, term):
    listed, counts = found
    row = listed.get(term, {"places": "0", "reason": ""})
    assert counts[term] <= int(row["places"]), "python tests/project/old_words.py prints the places"
    assert bool(row["reason"]) == (row["places"] != "0")


@pytest.mark.parametrize("name", sorted(LISTS))
def test_the_list_names_known_words_alone(name):
    assert set(left(name)) <= set(WORDS)


def test_a_word_is_found_in_names_and_in_prose(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("The agent was born.\n`same_mind`\nRemind me of a giveaway, untold.\n")
    monkeypatch.setattr("tests.project.old_words.ROOT", tmp_path)
    assert [term for term, *_ in places([page])] == ["birth", "mind"]
