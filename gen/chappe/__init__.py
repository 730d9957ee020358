"""Made from proto/chappe; never edited."""
