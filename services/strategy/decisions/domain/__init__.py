"""One decision: the funnel, the ranking, the record of it."""
