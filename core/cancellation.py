"""Whether a task was told to end, for loops that must not miss it."""

import asyncio


def was_cancelled() -> bool:
    """Tells whether the task was told to end, also when a library on the way caught that and went on.

    Up to Python 3.11 `asyncio.wait_for`, which the drivers use, does so when both happen in the same moment.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
