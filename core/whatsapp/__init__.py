"""The way to WhatsApp: HTTP to the Cloud API, its JSON and its error numbers."""
