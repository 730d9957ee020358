"""Named statements, one file per noun."""
