"""Everything of a hall that is seen in a browser: displays, ticket pages, consoles, and the counters' API."""
