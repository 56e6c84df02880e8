"""The speech model: sentences in, sound out. Needs the extra `speech`, except `sentence`, which is rules alone."""
