"""Reading resident ID cards: the SAM_V protocol, the card's text, the ID number, and the reader's driver."""
