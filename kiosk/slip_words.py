"""The fixed words of the slip, in both languages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    ahead: str
    nobody_ahead: str
    wait: str
    counters: str
    place: str
    follow: str
    materials: str
    and_more: str
    terminal: str
    reprint: str
    comma: str
    offline: str
    offline_rule: str
    follow_later: str
    may_close: str
    booked: str
    called_from: str


WORDS = {
    "zh": Words(
        ahead="前面还有 {count} 人",
        nobody_ahead="前面没有人，请留意叫号",
        wait="预计等候 {low}–{high} 分钟（{made_at} 估算）",
        counters="办理窗口：{counters} 号",
        place="请在{place}等候",
        follow="扫码查看叫号进度",
        materials="请准备：{materials}",
        and_more="等，扫码看全部",
        terminal="终端 {terminal}",
        reprint="补 打",
        comma="、",
        offline="离线号（{taken_at} 取号）",
        offline_rule="断网时取的号，同样有效：网络恢复后按取号时间排队，请留意叫号屏和广播。",
        follow_later="网络恢复后，扫码查看叫号进度",
        booked="预约 {time}",
        called_from="您来早了：{time} 起叫号",
        may_close="今天 {closes_at} 下班前可能轮不到您，请问导办人员。",
    ),
    "en": Words(
        ahead="前面 People ahead: {count}",
        nobody_ahead="前面没有人 You are next",
        wait="预计等候 Wait {low}–{high} min (at {made_at})",
        counters="窗口 Windows: {counters}",
        place="等候区 Wait at: {place}",
        follow="扫码查看进度 Scan to follow your turn",
        materials="Have ready: {materials}",
        and_more=" and more (scan)",
        terminal="终端 {terminal}",
        reprint="补打 REPRINT",
        comma=", ",
        offline="离线号 OFFLINE ({taken_at})",
        offline_rule="Taken without a connection, but valid: you are called in the order of that time.",
        follow_later="网络恢复后扫码 Scan when the connection is back",
        booked="预约 Appointment {time}",
        called_from="叫号时间 Called from {time} on",
        may_close="下班前可能轮不到 You may not be reached before closing at {closes_at}.",
    ),
}
