"""The chain every call passes before a service sees it."""
