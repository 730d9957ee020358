"""The Python client of Chappe."""
