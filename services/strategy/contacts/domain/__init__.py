"""May we reach out now: quiet hours, caps, the lock between channels."""
