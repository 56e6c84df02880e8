"""A terminal's profile on disk, for tests."""

from pathlib import Path

HALL_KEY = bytes(range(32))
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PROFILE = """
terminal = "t1"
hall = "sample"
instance = "i-1"
state_directory = "state"
[broker]
port = {port}
account_file = "account.toml"
[keys]
hall_key_file = "hall.key"
technician_secret_file = "technician.secret"
[devices.id_card_reader]
driver = "sam-v"
address = "serial:{folder}/reader?baud=115200"
[devices.ticket_printer]
driver = "escpos"
address = "serial:{folder}/printer?baud=115200"
"""


def write_profile(folder: Path, port: int = 1, more: str = "") -> Path:
    """A profile and the files it names; `port` is the broker's, `more` text that follows."""
    (folder / "account.toml").write_text('username = "device-t1"\npassword = "s3cret"\nclient_id = "device-t1"\n')
    (folder / "hall.key").write_text(HALL_KEY.hex())
    (folder / "technician.secret").write_text(SECRET)
    path = folder / "profile.toml"
    path.write_text(PROFILE.format(folder=folder, port=port) + more)
    return path
