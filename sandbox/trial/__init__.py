"""One trial: build, train, propose edits, judge, apply, record, probe."""
