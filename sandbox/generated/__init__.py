"""What is made from parts and findings: the scenario schema, the gallery of worlds, tables."""
