"""Cameras: capture on a thread of its own, codes, documents and faces in its frames."""
