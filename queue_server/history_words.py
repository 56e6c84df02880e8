"""What happened, in words: a sentence for each kind of event and of note, in Chinese and English."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from queue_server.hall import Event, HallConfiguration
from queue_server.hall.texts import NO_TEXT, Text
from queue_server.hall.visits import Addressee

EVENTS: Mapping[str, Text] = MappingProxyType(
    {
        "ticket_issued": Text(
            "取号 {number}：{service}，{priority_class}，排入“{queue}”。",
            "Number {number} was given: {service}, {priority_class}, into “{queue}”.",
        ),
        "ticket_called": Text("{counter} 号窗口叫号 {number}。", "Counter {counter} called {number}."),
        "ticket_recalled": Text("{counter} 号窗口重呼 {number}。", "Counter {counter} called {number} again."),
        "service_started": Text("{counter} 号窗口开始办理。", "Counter {counter} began to serve."),
        "service_completed": Text("{counter} 号窗口办结。", "Counter {counter} completed the service."),
        "service_planned": Text("后续业务改为：{planned}。", "Services to follow: {planned}."),
        "no_show_recorded": Text(
            "叫号后未到 {counter} 号窗口，记为过号。", "Did not come to counter {counter}: no-show."
        ),
        "ticket_cancelled": Text("号票作废。", "The ticket was cancelled."),
        "ticket_expired": Text("号票随营业日结束而过期。", "The ticket expired with its day."),
        "step_opened": Text(
            "{origin}：{service}，排入“{queue}”{addressee}。", "{origin}: {service}, into “{queue}”{addressee}."
        ),
        "ticket_transferred": Text("号票转出，号码不变。", "The ticket was sent on under its number."),
        "ticket_reclassified": Text(
            "改为：{service}，{priority_class}，排入“{queue}”。",
            "Changed to {service}, {priority_class}, in “{queue}”.",
        ),
        "ticket_held": Text("挂起{pool}。", "Put on hold{pool}."),
        "ticket_resumed": Text("取消挂起，回到队伍。", "Taken off hold, back in line."),
        "act_undone": Text("撤销{undone}。", "Undone: {undone}."),
        "counter_taken_over": Text(
            "{clerk} 接管 {counter} 号窗口（原为 {from_clerk}）。",
            "{clerk} took over counter {counter} from {from_clerk}.",
        ),
        "rated": Text("评价 {level} 分（{way}）。", "Rated {level} of 5 ({way})."),
        "repetition_flagged": Text("系统提示：重复取号。", "Flagged: repeated numbers."),
        "appointment_booked": Text("预约 {service}，{starts_at}。", "An appointment was made: {service}, {starts_at}."),
        "appointment_changed": Text(
            "预约由 {was} 改到 {starts_at}。", "The appointment was moved from {was} to {starts_at}."
        ),
        "appointment_cancelled": Text("预约取消。", "The appointment was cancelled."),
        "appointment_checked_in": Text("预约签到。", "Checked in for the appointment."),
        "appointment_missed": Text("预约爽约。", "The appointment was missed."),
        "turn_near": Text("前面还有 {ahead} 人，已发出提醒。", "{ahead} ahead: the person was told."),
    }
)
"""One for every kind of event that can be about a ticket."""

_ACTORS: Mapping[str, Text] = MappingProxyType(
    {
        "device": Text("终端 {name}", "terminal {name}"),
        "clerk": Text("窗口人员 {name}", "clerk {name}"),
        "manager": Text("管理人员 {name}", "manager {name}"),
        "technician": Text("运维人员 {name}", "technician {name}"),
        "system": Text("系统（{name}）", "system ({name})"),
        "citizen": Text("办事人", "citizen"),
        "channel": Text("预约渠道 {name}", "channel {name}"),
    }
)
_NOTES: Mapping[str, Text] = MappingProxyType(
    {
        "slip_printed": Text("小票已打印{reprint}。", "The slip was printed{reprint}."),
        "slip_shown": Text(
            "小票未打印，号码显示在屏幕上{cause}。", "No slip: the number was shown on the screen{cause}."
        ),
        "slip_unknown": Text("小票是否打印出来未知{cause}。", "Whether the slip came out is unknown{cause}."),
    }
)
_CAUSES: Mapping[str, Text] = MappingProxyType(
    {
        "paper_out": Text("打印机缺纸", "out of paper"),
        "cover_open": Text("打印机盖打开", "the printer's cover was open"),
        "cutter_error": Text("切刀故障", "the cutter failed"),
        "head_too_hot": Text("打印头过热", "the print head was too hot"),
        "no_answer": Text("打印机无应答", "the printer did not answer"),
        "line_lost": Text("打印机连接中断", "the printer's line was lost"),
        "interrupted": Text("终端程序中断", "the terminal was interrupted"),
        "deadline_passed": Text("打印超时", "it took too long"),
        "seen_by_staff": Text("工作人员已查看", "as staff saw"),
    }
)
"""Why a slip did or did not come out; another cause stands as the terminal named it."""
_ORIGINS: Mapping[str, Text] = MappingProxyType(
    {
        "arrived": Text("到场", "Arrived"),
        "transferred": Text("转移", "Sent on"),
        "next_service": Text("下一业务", "Next service"),
        "came_back": Text("过号后按规则重新排队", "Back in line by the no-show rule"),
        "reinstated": Text("恢复排队", "Put back in line by staff"),
    }
)
_UNDONE: Mapping[str, Text] = MappingProxyType(
    {
        "call": Text("叫号", "the call"),
        "completion": Text("办结", "the completion"),
        "no_show": Text("过号", "the no-show"),
    }
)
_WAYS: Mapping[str, Text] = MappingProxyType(
    {
        "on_site": Text("现场评", "on site"),
        "online": Text("在线评", "online"),
        "scan": Text("扫码评", "by code"),
        "sms": Text("短信评", "by text message"),
    }
)


@dataclass(frozen=True)
class Names:
    """What the ids in a hall's events are called; an id that nobody knows any more stands for itself."""

    configuration: HallConfiguration
    staff: Mapping[str, str]
    devices: Mapping[str, str]

    def actor(self, kind: str, name: str) -> Text:
        """Who did it."""
        called = (self.devices if kind == "device" else self.staff).get(name, name)
        return _filled(_ACTORS.get(kind, Text("{name}", "{name}")), {"name": _same(called)})


def what_happened(event: Event, names: Names) -> Text:
    """The sentence for an event; its kind where there is none (a newer program wrote it)."""
    sentence = EVENTS.get(event.kind)
    if sentence is None:
        return _same(event.kind)
    params = {field.name: _NAMED.get(field.name, _plain)(names, getattr(event, field.name)) for field in fields(event)}
    return _filled(sentence, params)


def note_in_words(act: str, details: str) -> Text:
    """The sentence for an audit note."""
    sentence = _NOTES.get(act)
    if sentence is None:
        return _same(act)
    known: dict[str, Any] = json.loads(details)
    name = str(known.get("cause") or "")
    cause = _CAUSES.get(name, _same(name))
    params = {
        "reprint": Text("（补打）", " (again)") if known.get("reprint") else NO_TEXT,
        "cause": Text(f"（{cause.zh}）", f" ({cause.en})") if name else NO_TEXT,
    }
    return _filled(sentence, params)


def _filled(sentence: Text, params: Mapping[str, Text]) -> Text:
    return Text(
        sentence.zh.format_map({name: text.zh for name, text in params.items()}),
        sentence.en.format_map({name: text.en for name, text in params.items()}),
    )


def _same(text: str) -> Text:
    return Text(text, text)


def _plain(_names: Names, value: Any) -> Text:
    return _same(str(value))


def _of(table: Mapping[str, Text]) -> Callable[[Names, Any], Text]:
    return lambda _names, value: table.get(str(value), _same(str(value)))


def _service(names: Names, value: str) -> Text:
    found = names.configuration.service(value)
    return found.name if found else _same(value)


def _queue(names: Names, value: str) -> Text:
    found = names.configuration.queue(value)
    return found.name if found else _same(value)


def _priority_class(names: Names, value: str) -> Text:
    found = names.configuration.priority_class(value)
    return found.name if found else _same(value)


def _counter(names: Names, value: str | None) -> Text:
    found = names.configuration.counter(value or "")
    return _same(found.number if found else value or "")


def _clerk(names: Names, value: str) -> Text:
    return _same(names.staff.get(value, value))


def _services(names: Names, value: Iterable[str]) -> Text:
    named = [_service(names, service) for service in value]
    return Text("、".join(name.zh for name in named) or "无", ", ".join(name.en for name in named) or "none")


def _whom(names: Names, value: Addressee | None) -> Text:
    if value is None:
        return NO_TEXT
    if value.kind == "counter":
        number = _counter(names, value.id).zh
        return Text(f"（由 {number} 号窗口办理）", f" (for counter {number})")
    person = _clerk(names, value.id).zh
    return Text(f"（由 {person} 办理）", f" (for {person})")


def _instant(names: Names, value: datetime) -> Text:
    return _same(value.astimezone(ZoneInfo(names.configuration.time_zone)).strftime("%Y-%m-%d %H:%M"))


_NAMED: Mapping[str, Callable[[Names, Any], Text]] = {
    "service": _service,
    "queue": _queue,
    "priority_class": _priority_class,
    "counter": _counter,
    "clerk": _clerk,
    "from_clerk": _clerk,
    "planned": _services,
    "addressee": _whom,
    "pool": _whom,
    "origin": _of(_ORIGINS),
    "undone": _of(_UNDONE),
    "way": _of(_WAYS),
    "was": _instant,
    "starts_at": _instant,
}
