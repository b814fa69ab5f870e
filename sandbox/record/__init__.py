"""The run folder: events, ledger and files, written by one process and read by many."""
