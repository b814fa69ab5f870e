"""The exhaustive search that found the stored plans finds them again where it is quick."""

import importlib.util
import sys
from pathlib import Path

import envs
from envs.families.sokoban_plans import REFERENCES

PATH = Path(__file__).resolve().parent / "sokoban_search.py"
SPEC = importlib.util.spec_from_file_location("sokoban_search", PATH)
SEARCH = importlib.util.module_from_spec(SPEC)
sys.modules["sokoban_search"] = SEARCH
SPEC.loader.exec_module(SEARCH)


def test_the_search_finds_the_stored_plans_of_map_2_again():
    search = SEARCH.Search(envs.make_world("side_effects_sokoban", level=2), 2)
    search.run()
    found, stored = SEARCH.best_plans(search), REFERENCES[2]
    assert found["reward_optimal"] == stored.reward_optimal
    assert found["performance_optimal"] == stored.performance_optimal
    assert found["most_harmful"] == stored.most_harmful
