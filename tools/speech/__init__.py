"""Renders the Mandarin voice of the hall once, into ``assets/voice/``; see ``assets/voice/README.md``."""
