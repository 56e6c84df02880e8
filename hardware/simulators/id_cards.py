"""Cards of people who do not exist, in all four layouts, for the simulated reader.

Each block is written field after field in the card's own order, so that it owes nothing to the driver's table.
"""

import random
from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class FictitiousCard:
    """A resident's card. `valid_to` None means without end."""

    name: str
    sex: str
    nation: str
    birth: date
    address: str
    number: str
    issuer: str = "样本市公安局虚构分局"
    valid_from: date = date(2020, 1, 1)
    valid_to: date | None = date(2040, 1, 1)
    newest_address: str = ""
    """Content of the appended address; empty where the card has none."""

    def text_block(self) -> bytes:
        """256 bytes UTF-16LE."""
        return _block(
            (self.name, 30),
            (self.sex, 2),
            (self.nation, 4),
            (_day(self.birth), 16),
            (self.address, 70),
            (self.number, 36),
            (self.issuer, 30),
            (_day(self.valid_from), 16),
            (_day(self.valid_to), 16),
            ("", 36),
        )

    def photo_block(self) -> bytes:
        """1024 bytes that stand for the proprietary picture."""
        return random.Random(self.number).randbytes(1024)  # noqa: S311 - a stand-in picture


@dataclass(frozen=True, slots=True)
class FictitiousHmtPermit(FictitiousCard):
    """A residence permit of Hong Kong, Macao and Taiwan residents (mark J)."""

    permit_number: str = "H00000000"
    issue_count: str = "01"

    def text_block(self) -> bytes:
        return _block(
            (self.name, 30),
            (self.sex, 2),
            ("", 4),
            (_day(self.birth), 16),
            (self.address, 70),
            (self.number, 36),
            (self.issuer, 30),
            (_day(self.valid_from), 16),
            (_day(self.valid_to), 16),
            (self.permit_number, 18),
            (self.issue_count, 4),
            ("", 6),
            ("J", 2),
            ("", 6),
        )


@dataclass(frozen=True, slots=True)
class FictitiousForeigner2017(FictitiousCard):
    """A foreign permanent resident's card of 2017 (mark I). `nation` is the nationality's three letters."""

    english_name: str = ""
    version: str = "01"
    agency_code: str = "9900"

    def text_block(self) -> bytes:
        return _block(
            (self.english_name, 120),
            (self.sex, 2),
            (self.number, 30),
            (self.nation, 6),
            (self.name, 30),
            (_day(self.valid_from), 16),
            (_day(self.valid_to), 16),
            (_day(self.birth), 16),
            (self.version, 4),
            (self.agency_code, 8),
            ("I", 2),
            ("", 6),
        )


@dataclass(frozen=True, slots=True)
class FictitiousForeigner2023(FictitiousCard):
    """A foreign permanent resident's card of 2023 (mark Y). `nation` is the nationality's three letters."""

    english_name: str = ""
    renewals: str = "00"
    former_number_link: str = ""

    def text_block(self) -> bytes:
        return _block(
            (self.name, 30),
            (self.sex, 2),
            (self.renewals, 4),
            (_day(self.birth), 16),
            (self.english_name[:35], 70),
            (self.number, 36),
            ("", 30),
            (_day(self.valid_from), 16),
            (_day(self.valid_to), 16),
            (self.english_name[35:], 22),
            (self.nation, 6),
            ("Y", 2),
            (self.former_number_link, 6),
        )


def _day(day: date | None) -> str:
    return day.strftime("%Y%m%d") if day else "长期"


def _block(*fields: tuple[str, int]) -> bytes:
    block = b""
    for value, size in fields:
        encoded = value.encode("utf-16-le")[:size]
        block += encoded + b" \x00" * ((size - len(encoded)) // 2)
    if len(block) != 256:
        raise ValueError(f"a text block has 256 bytes, not {len(block)}")
    return block


# Codes beginning with 99 and the nationality ZZZ belong to no place, and nobody born in 1890 is alive: no number here
# can be a living person's.
SAMPLE_CARDS: Final = (
    FictitiousCard("张三丰", "1", "01", date(1984, 4, 9), "样本省虚构市武当路太极巷1号", "990101198404090012"),
    FictitiousCard("黄蓉", "2", "01", date(1991, 7, 15), "样本省虚构市桃花岛街8号2单元", "99010119910715028X"),
    FictitiousCard(
        "阿凡提·样本",
        "1",
        "05",
        date(1975, 2, 28),
        "样本省虚构县葡萄巷7号",
        "990102197502280030",
        newest_address="样本省虚构县新区石榴路19号",
    ),
    FictitiousCard("王㛃喆", "2", "81", date(2001, 12, 31), "样本省虚构市生僻字路3号", "990101200112310044"),
    FictitiousCard(
        "令狐冲", "1", "77", date(1955, 10, 1), "样本省虚构市华山街5号", "990103195510010054", valid_to=None
    ),
    FictitiousHmtPermit(
        "陈港样",
        "2",
        "",
        date(1890, 3, 8),
        "样本省虚构市湾区路66号",
        "81000018900308002X",
        permit_number="H99999901",
        issue_count="02",
    ),
    FictitiousForeigner2017(
        "样本", "1", "ZZZ", date(1890, 6, 1), "", "ZZZ990118900601", english_name="SAMPLE, JOHANNES MARIA"
    ),
    FictitiousForeigner2023(
        "",
        "2",
        "ZZZ",
        date(1890, 11, 5),
        "",
        "999010189011050022",
        english_name="SPECIMEN WITHLONGNAME, ALEXANDRA VICTORIA ANNE",
        renewals="01",
        former_number_link="ABC",
    ),
)
