"""Migrations and named queries, shipped as package data."""
