"""pocket-atlas: the data of a small assistant for an invented country."""
