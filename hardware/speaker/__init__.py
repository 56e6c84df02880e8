"""Speaker: what the terminal says and rings."""
