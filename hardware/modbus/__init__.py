"""Modbus RTU: switches and lights behind input and output modules on one pair of wires."""
