"""Work at counters: one service on which the HTTP API and the console pages both stand."""
