"""The rows: a method for each named query, and nothing but the query."""
