"""Every parser of `hardware/` that takes bytes from outside, with frames of its protocol and where they are from.

One registry for the fuzzing (`test_fuzz.py`, `./dev bench fuzz`) and for what all of them keep: no bytes raise, a
stream cut anywhere says the same, and the frame behind noise is heard.
"""

import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from hardware import addresses, linux_input, profile
from hardware.code_scanner import dialects, keys, payload, splitter
from hardware.document_printer import ipp
from hardware.errors import BadAddress, CardPulled, CardUnreadable, NoAnswer
from hardware.frame_table import TableDecoder
from hardware.id_card import codec as sam_v
from hardware.id_card import layouts
from hardware.id_card.fields import IdCard
from hardware.id_card.number import check_number
from hardware.keypad.codec import KeypadDecoder
from hardware.modbus import codec as modbus
from hardware.presence_sensor import codec as maxsonar
from hardware.simulators import escpos_parser, ipp_codec
from hardware.smart_card import apdu, bank_card, social_security, tlv
from hardware.speaker import sound
from hardware.ticket_printer import codec as escpos
from hardware.ticket_printer import information
from hardware.ups.state import power
from hardware.vocabulary import Health
from hardware.window_display.sample_codec import ANSWERS, Sample


@dataclass(frozen=True, slots=True)
class Parser:
    """One parser: a fresh one takes all of an input and gives what it understood, empty or None for nothing.

    `golden`: published inputs, each of which means something. `refuses`: errors that the parser's docstring names.
    """

    of: Callable[..., object]
    take: Callable[[bytes], object]
    golden: tuple[bytes, ...]
    source: str
    refuses: tuple[type[Exception], ...] = ()

    @property
    def name(self) -> str:
        """Short and unique: the last part of its package, and what the parser is called."""
        module = self.of.__module__.removeprefix("hardware.").replace("simulators.", "simulated_")
        return f"{module}.{self.of.__qualname__}"

    def understood(self, data: bytes) -> object:
        """What it makes of an input; None where it refuses it as it says. Anything else that it raises is a defect."""
        try:
            return self.take(data)
        except self.refuses:
            return None


class Feeding(Protocol):
    """A decoder of a stream."""

    def feed(self, data: bytes, /) -> Iterable[Any]: ...


@dataclass(frozen=True, slots=True)
class StreamParser(Parser):
    """A parser of a stream: fed in one piece and byte by byte it must say the same.

    `noise` makes of any bytes what can stand before a frame on this line.
    """

    noise: Callable[[bytes], bytes] = bytes
    finds_back: bool = True
    """Whether any frame behind noise is heard: not by what looks for one answer, nor by a printer amid its commands."""


class CutElsewhere(AssertionError):
    """A stream meant something else because it came in other pieces."""


def stream(make: Callable[[], Feeding]) -> Callable[[bytes], object]:
    """What a new decoder understands of a stream, whole and byte by byte; with `flush`, the silence behind it too."""

    def pieces(parts: Iterable[bytes]) -> list[Any]:
        decoder = make()
        found = [item for part in parts for item in decoder.feed(part)]
        flush = getattr(decoder, "flush", None)
        return found + list(flush() if flush else [])

    def take(data: bytes) -> object:
        whole = pieces([data])
        if whole != pieces(data[at : at + 1] for at in range(len(data))):
            raise CutElsewhere
        return whole

    return take


class _Timed:
    """A scanner's decoder, fed without a pause."""

    def __init__(self, decoder: splitter.CodeSplitter | keys.KeyDecoder) -> None:
        self._decoder = decoder

    def feed(self, data: bytes, /) -> list[payload.RawCode]:
        return self._decoder.feed(data, 0.0)

    def flush(self) -> list[payload.RawCode]:
        return self._decoder.silence(60.0)


class _Keypad:
    """A keypad's decoder; behind the stream, for how long a key is held."""

    def __init__(self) -> None:
        self._decoder = KeypadDecoder()

    def feed(self, data: bytes, /) -> list[str]:
        return self._decoder.feed(data, 0.0)

    def flush(self) -> list[float]:
        held = self._decoder.held_s(5.0)
        return [held] if held else []


class _Answer:
    """A decoder of one answer: what comes behind it is not for this question."""

    def __init__(self, question: modbus.Question) -> None:
        self._decoder = modbus.AnswerDecoder(question)
        self._answered = False

    def feed(self, data: bytes, /) -> list[modbus.Answer]:
        answer = None if self._answered else self._decoder.feed(data)
        self._answered = self._answered or answer is not None
        return [] if answer is None else [answer]


class _Bytewise:
    """The simulated printer's parser takes single bytes."""

    def __init__(self) -> None:
        self._parser = escpos_parser.CommandParser()

    def feed(self, data: bytes, /) -> list[escpos_parser.Command]:
        return [command for byte in data for command in self._parser.feed(byte)]


class ScriptedChip:
    """Gives the answers of its script one after another, each behind one byte that counts it; then it is pulled."""

    def __init__(self, script: bytes) -> None:
        self._script = script
        self._at = 0

    def transmit(self, _: bytes) -> bytes:
        if self._at >= len(self._script):
            raise CardPulled
        begin = self._at + 1
        self._at = begin + self._script[self._at]
        return self._script[begin : self._at]


def script(*answers: str) -> bytes:
    """The script of a chip out of hexadecimal answers."""
    return b"".join(bytes((len(answer),)) + answer for answer in map(bytes.fromhex, answers))


class _Answers:
    """What passes the filter of a scanner's answers, and that an answer was among it."""

    def __init__(self) -> None:
        self._filter = dialects.AnswerFilter()

    def feed(self, data: bytes, /) -> bytes:
        return self._filter.feed(data)

    def flush(self) -> list[object]:
        return [*self._filter.flush(), *(["answered"] if self._filter.answered else [])]


def _fields(card: object) -> list[object]:
    """Every property of a card: what a visit could ask of it."""
    names = (name for name, value in vars(type(card)).items() if isinstance(value, property))
    return [getattr(card, name) for name in names]


def _id_card(data: bytes) -> object:
    """A text block and whatever follows it: the appended address, and the photo."""
    text, rest = data[: sam_v.TEXT_SIZE].ljust(sam_v.TEXT_SIZE, b"\x00"), data[sam_v.TEXT_SIZE :]
    card = IdCard(sam_v.CardBlocks(text, rest, b""), newest_address=rest)
    return _fields(card), check_number(card.number, date(2026, 1, 1))


def _social_card(data: bytes) -> object:
    card = social_security.read_social_security_card(ScriptedChip(data))
    return card and (_fields(card), check_number(card.number, date(2026, 1, 1)))


def _bank_card(data: bytes) -> object:
    card = bank_card.read_bank_card(ScriptedChip(data))
    return card and card.masked_number


def _blocks(data: bytes) -> object:
    commands = (sam_v.Command.READ_TEXT_AND_PHOTO, sam_v.Command.READ_TEXT_PHOTO_AND_FINGERPRINT)
    return [blocks for command in commands if (blocks := sam_v.split_blocks(command, data))]


class _Understanding:
    """A classifier whose strays are no news."""

    def __init__(self) -> None:
        self._classifier = escpos.AnswerClassifier()

    def feed(self, data: bytes, /) -> list[object]:
        answers = self._classifier.feed(data)
        for answer in answers:
            if isinstance(answer, escpos.AutomaticStatus):
                escpos.automatic_status(answer.frame)
        return [answer for answer in answers if not isinstance(answer, escpos.Stray)]


def _address(data: bytes) -> object:
    """An address that is understood is written back as one that means the same."""
    address = addresses.parse_address(data.decode("utf-8", "surrogateescape"))
    assert addresses.parse_address(str(address)) == address
    return address


def _power(data: bytes) -> object:
    """Variables of a UPS as lines of name and value; nothing where it does not say how it is."""
    lines = (line.partition(": ") for line in data.decode("utf-8", "replace").splitlines())
    told = power({name: value for name, _, value in lines})
    return told if told.status.health is not Health.UNKNOWN else None


@cache
def _file() -> Path:
    return Path(f"/proc/self/fd/{os.memfd_create('profile')}")


def _profile(data: bytes) -> object:
    _file().write_bytes(data)
    return profile.load(_file())


def _whole_events(data: bytes) -> bytes:
    """The kernel writes whole events; here they are let-go keys of any number."""
    return b"".join(_event(linux_input.EV_KEY, code, linux_input.RELEASED) for code in data)


def _event(kind: int, code: int, value: int) -> bytes:
    return struct.pack("@llHHi", 1_700_000_000, 5, kind, code, value)


def _typed(*key_numbers: int) -> bytes:
    """Keys pressed and let go, with a report after each."""
    report = _event(linux_input.EV_SYN, linux_input.SYN_REPORT, 0)
    return b"".join(
        _event(linux_input.EV_KEY, number, value) + report
        for number in key_numbers
        for value in (linux_input.PRESSED, linux_input.RELEASED)
    )


def _text(*fields: tuple[int, str]) -> bytes:
    """A card's text block: texts at their places (bytes) among spaces."""
    block = bytearray(" ".encode("utf-16-le") * (sam_v.TEXT_SIZE // 2))
    for place, text in fields:
        raw = text.encode("utf-16-le")
        block[place : place + len(raw)] = raw
    return bytes(block)


def _hex(*texts: str) -> tuple[bytes, ...]:
    return tuple(map(bytes.fromhex, texts))


_RESIDENT: Final = _text(
    (0, "张三"), (30, "1"), (32, "01"), (36, "19491231"), (52, "样本市样本区样本路1号"), (122, "11010519491231002X"),
    (158, "样本市公安局样本分局"), (188, "20200101"), (204, "长期"),
)  # fmt: skip
_FOREIGNER: Final = _text(
    (0, "SPECIMEN, ALEX"), (120, "1"), (122, "CAN110182041501"), (152, "CAN"), (188, "20170615"), (204, "20270614"),
    (220, "19820415"), (236, "01"), (240, "1500"), (248, "I"),
)  # fmt: skip
_PSE: Final = "6F26840E315041592E5359532E4444463031A5148801015F2D027A689F110101BF0C059F4D020B0A"
_DIRECTORY: Final = "702861264F08A000000333010101500A50424F432044454249549F120A50424F43204445424954870101"
_APPLICATION: Final = (
    "6F3E8408A000000333010101A532500A50424F432044454249548701019F38189F66049F02069F03069F1A0295055F2A029A039C019F3704"
    "BF0C059F4D020B0A"
)
_IPP_START: Final = (
    bytes.fromhex("01 47 0012") + b"attributes-charset" + bytes.fromhex("0005") + b"utf-8"
    + bytes.fromhex("48 001B") + b"attributes-natural-language" + bytes.fromhex("0005") + b"en-us"
)  # fmt: skip
_SAM_V_SOURCE: Final = (
    "eastcoms.com/service/downdrive/508.html, softs.im/身份证阅读器通信协议, "
    "blog.csdn.net/zhangbijun1230/article/details/85242964"
)
_SOCIAL_SOURCE: Final = "blog.csdn.net/zz_bubble/article/details/106245384; data items of 人社信息函〔2012〕37号"
_BANK_SOURCE: Final = "t.zoukankan.com/gcczhongduan-p-6684546.html; download.csdn.net/download/qq54328485/10296224"
_EPSON: Final = "download4.epson.biz/sec_pubs/pos/reference_en/escpos/"

PARSERS: Final[tuple[Parser, ...]] = (
    StreamParser(
        sam_v.FrameDecoder,
        stream(sam_v.FrameDecoder),
        _hex(
            "AAAAAA9669 0004 000090 94",
            "AAAAAA9669 0008 00009F 00000000 97",
            "AAAAAA9669 000C 000090 0000000000000000 9C",
            "AAAAAA9669 0004 000041 45",
        ),
        _SAM_V_SOURCE,
    ),
    Parser(
        sam_v.split_blocks,
        _blocks,
        (
            bytes.fromhex("0100 0400") + _RESIDENT + bytes(1024),
            bytes.fromhex("0100 0400 0400") + _FOREIGNER + bytes(2048),
        ),
        _SAM_V_SOURCE,
    ),
    Parser(sam_v.parse_sam_id, sam_v.parse_sam_id, _hex("0500 0300 1B2D3301 4E61BC00 15CD5B07"), _SAM_V_SOURCE),
    Parser(
        IdCard,
        _id_card,
        (_RESIDENT, _FOREIGNER, _RESIDENT + "样本市新区2号".encode("utf-16-le")),
        "GB 11643-1999, annex (the number); afzhan.com/st170652/news_212938.html, eastcoms.com/service/pro/840.html",
    ),
    Parser(tlv.parse, tlv.parse, _hex(_PSE, _DIRECTORY, _APPLICATION), _BANK_SOURCE),
    Parser(
        tlv.find_all,
        lambda data: [list(tlv.find_all(data, tag)) for tag in (0x4F, 0x88, 0x9F38)],
        _hex(_PSE, _DIRECTORY, _APPLICATION),
        _BANK_SOURCE,
    ),
    Parser(
        tlv.tags_and_lengths,
        tlv.tags_and_lengths,
        _hex("9F66049F02069F03069F1A0295055F2A029A039C019F3704"),
        _BANK_SOURCE,
    ),
    Parser(
        bank_card.mask_account,
        bank_card.mask_account,
        _hex("4761739001010119", "4761739001010119D22122011758928F", "6212345678901234567F"),
        "EMV 4.3 book 3, annex A (tags 5A and 57); the number is Visa's for tests",
    ),
    Parser(
        bank_card.read_bank_card,
        _bank_card,
        (
            script(
                "6A82",
                f"{_PSE}9000",
                f"{_DIRECTORY}9000",
                "6A83",
                f"{_APPLICATION}9000",
                "800A7C00080101001001010 19000".replace(" ", ""),
                "700A5A084761739001010119 9000",
            ),
        ),
        _BANK_SOURCE,
        (CardUnreadable, CardPulled),
    ),
    Parser(
        social_security.parse_record,
        social_security.parse_record,
        _hex("08 12 313130313035313934393132333130303258", "0A 01 31", "0D 04 19491231"),
        _SOCIAL_SOURCE,
    ),
    Parser(
        social_security.read_social_security_card,
        _social_card,
        (
            script(
                "611B",
                "6F19840F7378312E73682EC9E7BBE1B1A3D5CFA5068801028701019000",
                "9000",
                "0110000000000000000000000000000000009000",
                "05 04 20190101 9000",
                "06 04 20390101 9000",
                "07 09 423939303030303031 9000",
                "9000",
                "08 12 313130313035313934393132333130303258 9000",
                "6C20",
                "09 1E D5C5C8FD 0000000000000000000000000000000000000000000000000000 9000",
                "0A 01 31 9000",
                "0B 01 01 9000",
                "0C 03 110105 9000",
                "0D 04 19491231 9000",
            ),
        ),
        _SOCIAL_SOURCE,
        (CardUnreadable, CardPulled),
    ),
    StreamParser(
        escpos.AnswerClassifier,
        stream(_Understanding),
        _hex("12", "14 00 00 0F", "37 22 40 41 42 43 00", "1E", "18 02 0C 0F"),
        f"{_EPSON}{{dle_eot,gs_la,gs_lparen_ch}}.html",
    ),
    Parser(
        escpos.real_time_sequences,
        lambda data: list(escpos.real_time_sequences(data)),
        _hex("1B40 100401", "100502", "1014080103140106020 8".replace(" ", "")),
        f"{_EPSON}{{dle_eot,dle_enq,dle_dc4}}.html",
    ),
    Parser(
        information.information,
        information.information,
        (b"\x5fTM-T88V\x00", b"\x5fEPSON\x00"),
        f"{_EPSON}gs_ci.html",
    ),
    Parser(
        information.kept_pictures,
        information.kept_pictures,
        (b"\x37\x72\x40G1K1\x00", b"\x37\x72\x41G1\x00"),
        f"{_EPSON}gs_lparen_cl.html",
    ),
    Parser(
        information.full_status,
        information.full_status,
        _hex("10 0F 20 00 00 00", "10 0F 05 02 00 00"),
        "Custom KPM150 command manual, DLE EOT 20",
    ),
    Parser(
        ipp.understood,
        lambda data: ipp.understood(data, "printer"),
        (
            bytes.fromhex("0101 0000 00000001")
            + _IPP_START
            + bytes.fromhex("41 000E")
            + b"status-message"
            + bytes.fromhex("000D")
            + b"successful-ok"
            + bytes.fromhex("02 21 0006")
            + b"job-id"
            + bytes.fromhex("0004 00000093 23 0009")
            + b"job-state"
            + bytes.fromhex("0004 00000003 03"),
        ),
        "RFC 8010, appendix A.2",
        (NoAnswer, ipp.IppRefused),
    ),
    Parser(
        ipp_codec.read,
        ipp_codec.read,
        (
            bytes.fromhex("0101 0002 00000001")
            + _IPP_START
            + bytes.fromhex("42 0008")
            + b"job-name"
            + bytes.fromhex("0006")
            + b"foobar"
            + bytes.fromhex("22 0016")
            + b"ipp-attribute-fidelity"
            + bytes.fromhex("0001 01 02 21 0006")
            + b"copies"
            + bytes.fromhex("0004 00000014 03")
            + b"%!PDF...",
        ),
        "RFC 8010, appendix A.1",
    ),
    StreamParser(
        escpos_parser.CommandParser,
        stream(_Bytewise),
        _hex(
            "1B40",
            "1B6101",
            "0A",
            "1D5600",
            "1D76300001000200 8001",
            "1D286B0400314132001D286B03003143061D286B03003145311D286B0500315030 6869 1D286B0300315130",
        ),
        f"{_EPSON}{{esc_atsign,gs_cv,gs_lv_0,gs_lparen_ck}}.html",
        finds_back=False,
    ),
    StreamParser(
        splitter.CodeSplitter,
        stream(lambda: _Timed(splitter.CodeSplitter(64))),
        (b"6901234567892\r", b"6901234567892\r\n", "取号凭证\r".encode("gbk")),
        "Honeywell Xenon 1900 user guide, suffix CR as delivered; GS1 General Specifications (prefix 690)",
    ),
    StreamParser(
        keys.KeyDecoder,
        stream(lambda: _Timed(keys.KeyDecoder(64))),
        (_typed(7, 10, 11, 28), _typed(30, 96)),
        "linux/input.h, linux/input-event-codes.h",
        noise=_whole_events,
    ),
    StreamParser(
        KeypadDecoder,
        stream(_Keypad),
        (_typed(79, 80, 28), _typed(2, 3, 14), _typed(0x201, 0x20B)),
        "linux/input-event-codes.h",
        noise=_whole_events,
    ),
    StreamParser(
        linux_input.EventDecoder,
        stream(linux_input.EventDecoder),
        (_event(1, 30, 1), _event(0, 0, 0)),
        "linux/input.h",
        noise=_whole_events,
    ),
    StreamParser(
        dialects.AnswerFilter,
        stream(_Answers),
        (b"CBRENA1\x06", b"CBRENA0\x06.", b"A001\r"),
        "Honeywell Voyager 1250g user guide, serial programming commands",
        finds_back=False,
    ),
    Parser(
        payload.decode,
        lambda data: (payload.decode(data), payload.judge(payload.RawCode(data), payload.CodeRules())),
        (
            b"6901234567892",
            b"\xc8\xa1" * 60 + b"\xff",
            "取号凭证".encode(),
            "取号凭证".encode("gbk"),
            "王㛃喆𠀀".encode("gb18030"),
        ),
        "RFC 3629; GB 18030-2022",
    ),
    StreamParser(
        modbus.AnswerDecoder,
        stream(lambda: _Answer(modbus.read_coils(17, 0x13, 37))),
        _hex("11 01 05 CD6BB20E1B 45E6", "11 81 02 C054"),
        "MODBUS Application Protocol V1.1b3, 6.1 and 7; framed as by simplymodbus.ca/FC01.htm",
        finds_back=False,
    ),
    StreamParser(
        TableDecoder,
        stream(lambda: TableDecoder(ANSWERS[Sample.XUNPENG])),
        _hex("2A 00 7803 01 A6 0A", "3A 01 3B 0A"),
        "m.zhiliandun.com/index.php/proview-133-10.html (a sample, no standard)",
    ),
    Parser(
        power,
        _power,
        (
            b"ups.status: OL CHRG\nbattery.charge: 100\nbattery.runtime: 3690\n",
            b"ups.status: OB DISCHRG LB\nbattery.charge: 12\n",
        ),
        "NUT User Manual, status data; NUT Command and Variable Naming Scheme",
    ),
    Parser(
        sound.sound,
        sound.sound,
        (
            bytes.fromhex("52494646 28000000 57415645 666D7420 10000000 0100 0100 803E0000 007D0000 0200 1000")
            + bytes.fromhex("64617461 04000000 0000 FF7F"),
        ),
        "IBM and Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (RIFF WAVE)",
        (sound.BadSound,),
    ),
    StreamParser(
        maxsonar.ReadingDecoder,
        stream(maxsonar.ReadingDecoder),
        (b"R0480 \r", b"R1234\r"),
        "MaxBotix PD12141, page 3; PD11500",
    ),
    Parser(
        addresses.parse_address,
        _address,
        tuple(
            text.encode()
            for text in (
                "serial:/dev/serial/by-id/usb-FTDI?baud=9600&parity=even&stop=2",
                "tcp:[::1]:9100",
                "memory:a",
                "usb:0416:5011:00000000011B",
                "usblp:/dev/usb/lp0",
                "pcsc:ACS ACR39U*",
                "video:/dev/video0",
                "input:/dev/input/event3",
                "ipp://printer.local:631/ipp/print",
                "ipps://[fe80::1]/q",
                "nut:ups@localhost:3493",
                "sound:default",
            )
        ),
        "RFC 3986; RFC 3510 (ipp); the others are this project's own",
        (BadAddress,),
    ),
    Parser(
        profile.load,
        _profile,
        (
            b'[devices.id_card_reader]\ndriver = "sam-v"\naddress = "serial:/dev/ttyUSB0?baud=115200"\n',
            b'[devices.ticket_printer]\ndriver = "escpos"\naddress = "tcp:10.0.0.7:9100"\nroll_mm = 80000\n',
        ),
        "toml.io/en/v1.0.0; the tables are this project's own",
        (profile.BadProfile,),
    ),
)
"""In the order of the devices."""
THROUGH: Final[tuple[Callable[..., object], ...]] = (
    apdu.exchange,
    escpos.automatic_status,
    ipp.well_formed,
    layouts.card_layout,
    tlv.find,
)
"""Those that the ones above pass all their bytes through."""
