"""Data -> figures -> one self-contained HTML file."""

from sandbox.report.page import build

__all__ = ["build"]
