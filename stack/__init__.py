"""One machine's worth of everything: PostgreSQL, Valkey, Envoy, the simulator, all processes."""
