"""The two doors: gRPC for callers, webhooks for WhatsApp."""
