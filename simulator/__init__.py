"""A WhatsApp Cloud API of our own: HTTP in, signed webhooks out; it imports nothing of ours."""
