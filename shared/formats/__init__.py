"""Tables in the formats that banks exchange, read and written a part at a time."""
