"""What a citizen can do at the terminal, as pure state machines; screens see views and intents only."""
