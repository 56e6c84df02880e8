"""Guide lights: which part of the terminal is to be used now."""
