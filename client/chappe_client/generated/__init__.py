"""Made from proto/; never edited."""
