"""What a technician runs at a cabinet: devices found, their states live, their self-tests and the report."""
