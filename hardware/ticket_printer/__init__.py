"""Printing slips: a device-neutral document, ESC/POS bytes, status and fences, and the printer's driver."""
