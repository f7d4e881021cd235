"""The funnel: the hard gates applied to every treatment of a channel at once."""
