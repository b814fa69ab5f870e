"""The edits of the part folder, for tests of editors."""

from sandbox.catalogue import catalogue

EDITS = {name: part.load() for name, part in catalogue().parts("edits").items()}
