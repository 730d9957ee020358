"""What only tests need: servers, processes, waiting."""
