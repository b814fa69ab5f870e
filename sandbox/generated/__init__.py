"""What is made from the parts: the scenario schema, the gallery of worlds, the tables of parts."""
