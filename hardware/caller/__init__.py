"""Caller: a few keys at a counter with which the next number is called."""
