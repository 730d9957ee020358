"""The Python client against real and played gRPC servers."""
