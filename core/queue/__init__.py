"""What rings for workers: `wakeups` say what to do, `bells` find the queue, `doorbell` and `jetstream` ring on it."""
