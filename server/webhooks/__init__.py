"""The webhook door: handshake, signature, durable, then 200."""
