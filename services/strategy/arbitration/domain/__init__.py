"""Which of the allowed comes first: priority, and honest exploration."""
