"""The tests, by the room they open."""
