"""An effect as ``sandbox.analysis.effects`` gives it, from two arms of 0/1 outcomes."""

from sandbox.analysis.effects import Effect


def effect_with(base, treated, lost):
    """``lost``: seeds whose treated trial failed."""
    there = [i for i in range(len(base)) if not lost[i]]
    return Effect(
        lever="data_coverage",
        metric="harm",
        env="all",
        unit="",
        base_dose=0,
        dose=1,
        base=None,
        treated=None,
        estimate=None,
        low=None,
        high=None,
        p=None,
        n=len(there),
        differences={i: treated[i] - base[i] for i in there},
        missing={i: "failed" for i in range(len(base)) if lost[i]},
        bounds={i: (0.0 - base[i], 1.0 - base[i]) for i in range(len(base)) if lost[i]},
        confidence=0.95,
    )
