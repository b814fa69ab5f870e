"""Genomes, edit histories and films as SVG, PNG and text."""
