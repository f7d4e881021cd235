"""The ledger against the books: each audit returns what is wrong, in words."""
