"""What can go wrong inside the terminal: each error names what happened and who acts."""


class JournalFault(Exception):
    """The journal cannot be read or written; the terminal goes out of service and a technician acts."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class JournalFull(JournalFault):
    """The disk is nearly full: no new request is taken while there is still room to end those under way."""

    def __init__(self) -> None:
        super().__init__("disk_nearly_full")


class BadBundle(Exception):
    """A bundle that cannot be used; `reason` is a short word for the log: the hall's administrator acts."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadProfile(Exception):
    """A profile, or a file it names, that cannot be used; the technician corrects it."""
