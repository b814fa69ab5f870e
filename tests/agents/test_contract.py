"""What editors and views say of themselves."""

import math

import pytest

from agents.editors.bandit import Bandit
from agents.genome import EditorGene, Genome
from tests.agents.agent_states import a_view


@pytest.mark.parametrize(
    ("returns", "window", "mean"),
    [
        ((9.0, None, 1.0, 2.0), 3, 1.5),
        ((9.0, 1.0, None, 3.0), 3, 2.0),
        ((9.0, math.nan, math.inf, 3.0), 3, 3.0),
        ((9.0, None), 1, None),
        ((), 5, None),
    ],
)
def test_a_recent_return_is_the_mean_of_those_that_are_known(returns, window, mean):
    view = a_view(Genome(), returns=returns, peers={"other": (7.0,)})
    assert view.recent_return(window) == mean
    assert view.recent_return(window, "other") == 7.0


def test_an_editor_stands_in_a_genome_by_its_file_and_its_settings():
    gene = Bandit(every_updates=8).gene()
    assert (gene.name, gene.settings["every_updates"]) == ("bandit", 8)
    assert EditorGene.of("bandit", gene.settings) == gene
