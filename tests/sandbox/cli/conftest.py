"""The command line, called in the process of the test."""

import pytest

from sandbox.cli import main


@pytest.fixture
def sandbox(capfd, monkeypatch, tmp_path):
    """Run a command in this process as the console script would; (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments):
        with pytest.raises(SystemExit) as ended:
            main.main([str(each) for each in arguments])
        return ended.value.code, *capfd.readouterr()

    return ran
