"""The terminal: journeys, the citizen's session, the journal, and the program that ties them to devices and wire."""
