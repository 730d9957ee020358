"""The chappe command."""
