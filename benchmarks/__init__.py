"""What is measured, always as ratios within one run: machines differ and drift, ratios travel."""
