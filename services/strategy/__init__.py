"""Products, strategies, decisions, contacts: what to offer, to whom, and whether we may."""
