"""Named faults, applied to a copy one at a time: each must turn a test red."""
