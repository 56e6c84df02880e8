"""Door and tamper switches: whether the cabinet is open."""
