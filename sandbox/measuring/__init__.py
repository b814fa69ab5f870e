"""Exact and estimated quantities that probes ask of a live agent."""
