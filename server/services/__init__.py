"""The steps of each RPC, by name: a service decides nothing and does nothing itself."""
