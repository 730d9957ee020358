"""Made from proto/chappe/v1; never edited."""
