"""How the voice says each letter; found by ear of the recogniser, see `assets/voice/README.md`."""

from typing import Final

LETTERS: Final = {
    "A": "ˈA ",
    "B": "piː→",
    "C": "sɨi→",
    "D": "tiː→",
    "E": "ˈi",
    "F": "ɛ→fu→",
    "G": "ʨi↘",
    "H": "ei→ʨʰy↘",
    "I": "ai↘",
    "J": "ꭧei↘",
    "K": "kʰei→→",
    "L": "ɛ→lou↘",
    "M": "ˈɛm",
    "N": "ˈɛn",
    "O": "ou↘",
    "P": "pʰiː→",
    "Q": "kʰju→",
    "R": "aɚ→",
    "S": "ɛs→",
    "T": "tʰiː→",
    "U": "jˈu",
    "V": "vei→",
    "W": "dˈʌbᵊljˌu",
    "X": "ˈɛks",
    "Y": "wai↘",
    "Z": "zˈi",
}
"""How each letter is said, in the model's phonemes (arrows are tones): the variant that the judge heard best."""
