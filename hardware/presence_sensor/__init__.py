"""Presence sensor: whether somebody stands before the terminal."""
