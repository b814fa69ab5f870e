"""The verdict on each claim: as registered, at its registered sample sizes, with its checks."""
