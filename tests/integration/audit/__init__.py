"""The audit of the backend before this one, row by row: what it missed is here, and its figure is printed."""
