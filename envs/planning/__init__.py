"""Exact oracles of worlds: dynamic programming over their states."""
