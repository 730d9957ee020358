"""Ctrl-C while the command is being loaded, as early or late as it may come."""

import subprocess
import sys

import pytest

# Begins as the installed command does, and in the foreground, whatever the tests were started from; Ctrl-C comes as a
# part of it is looked for.
_INTERRUPTED_AT = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
from cli.__main__ import main
sys.argv[1:] = ["worker"]
main()
"""


@pytest.mark.parametrize(
    "part", ["cli.app", "typer", "grpc", "pydantic", "chappe_client", "workers.__main__", "uvloop"]
)
def test_ctrl_c_while_the_command_is_loaded_ends_it_without_a_word(part: str) -> None:
    code = _INTERRUPTED_AT.replace("sys.argv[1]", repr(part))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
