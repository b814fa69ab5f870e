"""Minds that can be rewritten. Knows neither the worlds nor the laboratory."""
