"""Chip cards over PC/SC: social security cards by EF05 and EF06, bank cards by their masked number."""
