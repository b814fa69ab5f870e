"""The rule for anybody's numbers: tables of trials, claims about their conditions."""
