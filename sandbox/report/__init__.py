"""A run as one HTML file without links to other files."""

from sandbox.report.page import build

__all__ = ["build"]
