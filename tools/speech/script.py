"""What the voice can say: every recording with its stable id, its words and, for letters, its phonemes.

Imports nothing outside the standard library and the joiner's own rules, because the speech environment reads it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from queue_server.speech.letters import LETTERS
from queue_server.voice_pieces import DIGITS, LARGEST_NATURAL_WINDOW, LARGEST_WHOLE_WINDOW, numeral

CHIME: Final = "chime"
"""The one piece that is computed, not spoken."""

SPEED: Final = 0.85
"""Pace of single signs; 1.0 is the model's own."""
SPEED_OF_PHRASES: Final = 1.0
"""Pace of windows and prompts; slower ones grow a false vowel at their start."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One recording: its id (the file is ``<id>.wav``), its words, and how the model is asked for them."""

    id: str
    text: str
    phonemes: str | None = None
    speed: float = SPEED


ONE: Final = "jiː→"
"""一 on its own: with its plain phonemes it was heard as 也."""

PLEASE: Final = "ʨʰi↓ŋ "
"""请 with a space after it: without one the model puts a vowel before the word."""

PROMPTS: Final = {
    "welcome": "欢迎光临，请选择您要办理的业务",
    "choose_service": "请选择您要办理的业务",
    "lay_id_card": "请将身份证放在感应区",
    "keep_id_card": "请不要移动身份证",
    "take_id_card": "请取走您的身份证",
    "card_unreadable": "身份证读取失败，请重新放置",
    "please_wait": "请稍候",
    "ticket_issued": "取号成功，请取走凭条",
    "photograph_number": "打印机缺纸，请拍下屏幕上的号码",
    "wait_for_call": "请在等候区等候叫号",
    "press_for_help": "需要帮助，请按呼叫工作人员",
    "help_is_coming": "已呼叫工作人员，请稍候",
    "still_there": "您还在吗，请触摸屏幕继续办理",
    "session_ended": "为保护您的信息，本次操作已结束",
    "network_lost": "网络已断开，请稍候",
    "out_of_service": "本机暂停服务，请到其他终端或人工窗口办理",
    "no_tickets_today": "今天的号已取完，请咨询工作人员",
    "closed_now": "现在不是办理时间",
    "type_appointment_code": "请输入预约码",
    "no_appointment_found": "没有找到您的预约",
    "check_in_too_early": "还没有到签到时间，请看屏幕",
    "check_in_too_late": "签到时间已过，请重新取号",
}
"""Sentences of the terminal's voice button, by id."""


def pieces() -> tuple[Piece, ...]:
    """Every spoken piece, in a fixed order; ids are unique."""
    return (*_of_tickets(), *_of_windows(), *_of_prompts())


def _of_tickets() -> list[Piece]:
    letters = [Piece(f"letter_{letter}", letter, phonemes) for letter, phonemes in LETTERS.items()]
    digits = [Piece(f"digit_{value}", name, ONE if value == 1 else None) for value, name in enumerate(DIGITS)]
    final_digits = [Piece(f"digit_{value}_number", f"{name}号") for value, name in enumerate(DIGITS)]
    return [Piece("please", "请", PLEASE), *letters, *digits, *final_digits, Piece("number", "号")]


def _of_windows() -> list[Piece]:
    whole = [*range(1, LARGEST_WHOLE_WINDOW + 1), *range(LARGEST_WHOLE_WINDOW + 10, LARGEST_NATURAL_WINDOW, 10)]
    windows = [Piece(f"to_window_{number}", f"到{numeral(number)}号窗口", speed=SPEED_OF_PHRASES) for number in whole]
    tens = [
        Piece(f"to_tens_{ten}", f"到{numeral(ten)}", speed=SPEED_OF_PHRASES)
        for ten in range(LARGEST_WHOLE_WINDOW, LARGEST_NATURAL_WINDOW, 10)
    ]
    units = [Piece(f"window_{unit}", f"{numeral(unit)}号窗口", speed=SPEED_OF_PHRASES) for unit in range(1, 10)]
    rest = [
        Piece("to", "到"),
        Piece("window", "窗口"),
        Piece("number_window", "号窗口"),
        Piece("see_screen", "请看大屏幕"),
    ]
    return [*windows, *tens, *units, *rest]


def _of_prompts() -> list[Piece]:
    return [Piece(f"prompt_{name}", text, speed=SPEED_OF_PHRASES) for name, text in PROMPTS.items()]
