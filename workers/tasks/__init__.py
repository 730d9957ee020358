"""One module for each noun's tasks; a task carries ids, never content."""
