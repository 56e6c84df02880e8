"""Window LED display: the number that is served at a counter."""
