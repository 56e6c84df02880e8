"""UPS: whether the terminal lives on its battery, and for how long."""
