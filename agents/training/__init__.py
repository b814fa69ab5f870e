"""The loops around a learner: populations, reward mixing, snapshots, spaces."""
