"""A demonstration bank that never was, with the truth about its customers written beside it."""
