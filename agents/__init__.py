"""Agents that can be rewritten. Imports neither the worlds nor the laboratory."""

__distribution__ = "sandbox-lab"  # read by sandbox.guard: other projects use this name too
