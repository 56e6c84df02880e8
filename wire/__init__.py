"""What travels between the programs: topics, messages, and the one file that knows MQTT."""
