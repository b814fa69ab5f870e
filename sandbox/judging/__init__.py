"""The rule for numbers from anywhere: tables of trials, claims about their conditions."""
