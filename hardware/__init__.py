"""Devices of the terminal: drivers, codecs, simulators, health. Knows no screen, wire, hall or slip layout."""
