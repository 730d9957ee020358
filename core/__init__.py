"""What both doors stand on: rules, rows, cache, pace, and the way to WhatsApp."""
