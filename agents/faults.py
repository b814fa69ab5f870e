"""What a stranger's code may raise where it should raise nothing. Imports nothing."""

FAULTS = (Exception, SystemExit)
"""All of it, but for who interrupts or ends the process from outside."""
