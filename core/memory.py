"""How often a process that works on many small things looks for circles among them."""

import gc
from typing import Final

# Looking costs time for each object that lives, and what we make per message holds no circles: at the interpreter's own
# threshold of 700 new objects it took a twenty-fifth of a worker's time. Circles of an exception's traceback still go.
_NEW_OBJECTS: Final = 50_000


def look_rarely() -> None:
    """Leaves what the start made out of every later look, and looks after many more new objects than usual."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
