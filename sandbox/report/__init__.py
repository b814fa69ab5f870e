"""Data -> figures -> one self-contained HTML file."""
