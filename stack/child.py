"""Becomes another program that dies with its parent: `child.py <signal> <parent pid> <uid or -> <program> ...`.

It does so in an interpreter of its own, since code that runs between fork and exec may hang where there are threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drops privileges, asks the kernel for the signal on the parent's death, and becomes the program."""
    signal_number, parent, uid, *program = arguments
    if uid != "-":
        _become(int(uid))
    if sys.platform == "linux":  # elsewhere a killed parent leaves its children; a stopped one never does
        # After the change of user, which would clear it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the parent died before its child began")
    os.execv(program[0], program)  # noqa: S606  # becoming the program is what this is for


def _become(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


if __name__ == "__main__":
    main(sys.argv[1:])
