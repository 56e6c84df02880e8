"""The door for other channels (app, mini-programme, hotline): appointments over HTTP, with keys and webhooks."""
