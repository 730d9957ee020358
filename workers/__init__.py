"""The workers: claim, do, settle; the keeper finds what a lost wake-up left."""
