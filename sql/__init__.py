"""SQL as package data: migrations, queries and the schema they must produce."""
