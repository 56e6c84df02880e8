"""The profile: what a technician may get wrong is named, and no secret is quoted."""

from pathlib import Path

import pytest

from kiosk.errors import BadProfile
from kiosk.profile import load, load_secrets
from tests.kiosk.profiles import HALL_KEY, write_profile


def changed(folder: Path, old: str, new: str) -> Path:
    path = write_profile(folder)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_profile_names_its_files_relative_to_itself(tmp_path):
    profile = load(write_profile(tmp_path))
    assert profile.state_directory == tmp_path / "state"
    keys = load_secrets(profile)
    assert keys.hall_key == HALL_KEY
    assert keys.account.client_id == "device-t1"
    assert HALL_KEY.hex() not in repr(keys)
    assert "s3cret" not in repr(keys)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('terminal = "t1"', 'terminal = "T 1"', "terminal"),
        ('hall = "sample"', "", "hall"),
        ("[keys]", "[times]\ncountdown_s = 5\n[keys]", "countdown_s"),
        ("[keys]", "[sreen]\nwidth = 1080\n[keys]", "sreen"),
        ("[broker]", "[broker", "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, where):
    with pytest.raises(BadProfile, match=where):
        load(changed(tmp_path, old, new))


def test_a_missing_profile_is_named(tmp_path):
    with pytest.raises(BadProfile, match="FileNotFoundError"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("hall.key", "00ff"),
        ("hall.key", "no hex: s3cret"),
        ("technician.secret", "AAAA"),
        ("technician.secret", "s3cret!"),
        ("account.toml", 'password = "s3cret"'),
    ],
)
def test_a_bad_secret_is_named_by_its_file_and_never_quoted(tmp_path, file, content):
    profile = load(write_profile(tmp_path))
    (tmp_path / file).write_text(content)
    with pytest.raises(BadProfile) as caught:
        load_secrets(profile)
    assert file in str(caught.value)
    assert "s3cret" not in str(caught.value)
