"""Simulated devices that speak their own bytes behind a pty or TCP, each with a menu of faults.

They share no encoder with the drivers: their frames are written from the published literals.
"""
