"""Keypad: digits and a few function keys under a citizen's fingers."""
