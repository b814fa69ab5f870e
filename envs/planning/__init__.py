"""Exact oracles by dynamic programming; the loop that plays whole episodes."""
