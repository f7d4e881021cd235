"""The catalogue, compiled: what a decision needs of it, ready as arrays and one rule function."""
