"""CPU time of processes and all they started, in seconds."""

import psutil

from stack.stack import Stack

OURS = ("api", "webhooks", "worker")


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Returns the CPU time so far by kind of process: api, webhooks, worker, postgres, simulator."""
    pids = {name: process.pid for name, process in stack.processes.items()}
    pids["postgres"] = stack.servers.postgres.process.pid
    spent: dict[str, float] = {}
    for name, pid in pids.items():
        kind = name.rstrip("0123456789").rstrip("-")
        spent[kind] = spent.get(kind, 0.0) + tree_seconds(pid)
    return spent


def resident_bytes(stack: Stack, kind: str) -> int:
    """Returns the memory of the largest process of a kind."""
    pids = [process.pid for name, process in stack.processes.items() if name.startswith(kind)]
    return max(int(psutil.Process(pid).memory_info().rss) for pid in pids)


def tree_seconds(pid: int) -> float:
    """Returns the CPU time so far of a process, its living children, and those that have ended."""
    process = psutil.Process(pid)
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        times = each.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total
