"""Free ports for a stack, so that two clones run at once."""

import secrets
import socket

# Below the range from which the system picks ports for outgoing connections: nobody takes one between look and use.
_FIRST, _LAST = 20_000, 30_000
_LOOPBACK = "127.0.0.1"


class Ports:
    """Hands out ports of the loopback interface that are free, none of them twice."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def take(self) -> int:
        """Returns a port nobody listens on."""
        while True:
            port = _FIRST + secrets.randbelow(_LAST - _FIRST)
            if port not in self._taken and is_free(port):
                self._taken.add(port)
                return port


def is_free(port: int) -> bool:
    """Tells whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Tells whether a server on the port takes connections now."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((_LOOPBACK, port)) == 0
