"""Sentences for people at counters: what a refusal means and what to do next, in Chinese and English."""

from collections.abc import Mapping
from types import MappingProxyType

from queue_server.counters.outcomes import Refused

STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "waiting": ("等候中", "waiting"),
        "called": ("已叫号", "called"),
        "serving": ("办理中", "being served"),
        "held": ("已挂起", "on hold"),
        "completed": ("已办结", "completed"),
        "no_show": ("已过号", "passed"),
        "cancelled": ("已作废", "cancelled"),
        "expired": ("已过期", "expired"),
        "checked_in": ("已签到", "checked in"),
        "missed": ("已爽约", "missed"),
    }
)

_SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "stale_version": ("情况已变化，请看最新状态后再操作。", "Things have changed. Look again, then act."),
        "counter_taken": (
            "{counter_number} 号窗口正由 {clerk_name} 使用。请换一个窗口，或请对方先签退该窗口。",
            "Counter {counter_number} is held by {clerk_name}. Take another, or ask them to close it first.",
        ),
        "clerk_at_other_counter": (
            "您还在 {counter_number} 号窗口。请先关闭该窗口。",
            "You still hold counter {counter_number}. Close it first.",
        ),
        "nobody_waiting": ("现在没有人等候。", "Nobody is waiting."),
        "ticket_still_called": (
            "{number} 已叫号。请先开始办理、重呼或记过号。",
            "{number} has been called. Start, recall or mark the no-show first.",
        ),
        "ticket_still_served": ("{number} 正在办理。请先办结。", "{number} is being served. Complete it first."),
        "ticket_already_called": (
            "{number} 已由 {counter} 号窗口叫走。",
            "{number} has already been called by counter {counter}.",
        ),
        "ticket_not_waiting": ("{number} 不在等候({state_words})。", "{number} is not waiting ({state_words})."),
        "ticket_finished": ("{number} 已结束({state_words})。", "{number} has ended ({state_words})."),
        "ticket_not_for_counter": ("本窗口不办理 {number} 的业务。", "This counter does not serve {number}."),
        "ticket_not_called": ("没有已叫号的号票。", "No ticket is called."),
        "ticket_not_served": ("没有正在办理的号票。", "No ticket is being served."),
        "ticket_unknown": ("没有这张号票。", "There is no such ticket."),
        "recall_too_soon": (
            "刚刚叫过 {number}，请 {seconds} 秒后再重呼。",
            "{number} was just called. Recall in {seconds} s.",
        ),
        "recall_limit_reached": (
            "{number} 已重呼 {limit} 次。请开始办理或记过号。",
            "{number} has been recalled {limit} times. Start or mark the no-show.",
        ),
        "recall_first": (
            "{number} 还需重呼,满 {recalls} 次才能记过号。",
            "Recall {number} first: a no-show is recorded after {recalls} recalls.",
        ),
        "not_on_duty": ("{clerk_name} 不在岗。", "{clerk_name} is not on duty."),
        "counter_not_open": ("{counter_number} 号窗口无人在岗。", "Nobody is at counter {counter_number}."),
        "queue_not_of_counter": (
            "{counter_number} 号窗口不办理该业务。",
            "Counter {counter_number} does not serve that.",
        ),
        "ticket_at_other_counter": ("{number} 正在 {counter} 号窗口。", "{number} is at counter {counter}."),
        "ticket_not_holdable": ("{number} 不能挂起({state_words})。", "{number} cannot be held ({state_words})."),
        "ticket_not_held": ("{number} 没有挂起({state_words})。", "{number} is not on hold ({state_words})."),
        "ticket_not_passed": (
            "{number} 不是今天的过号号票,不能恢复({state_words})。",
            "{number} is no no-show of today and cannot be put back ({state_words}).",
        ),
        "nothing_to_undo": ("没有可以撤销的操作。", "There is nothing to undo."),
        "undo_too_late": ("已超过 {within} 秒,不能撤销。", "More than {within} s have passed; it cannot be undone."),
        "counter_paused": ("窗口已暂停,请先恢复叫号。", "The counter pauses. Continue first."),
        "counter_not_paused": ("窗口没有暂停。", "The counter does not pause."),
        "pause_reason_unknown": ("没有这个暂停原因,请重新选择。", "There is no such reason. Choose again."),
        "profile_unknown": ("没有这个业务配置,请重新选择。", "There is no such work profile. Choose again."),
        "profile_beyond_class": (
            "{counter_number} 号窗口的类别不能使用该业务配置。",
            "Counter {counter_number} is of a class that cannot work by this profile.",
        ),
        "take_over_not_allowed": ("只有管理员可以接管窗口。", "Only a manager can take a counter over."),
        "priority_class_unknown": ("没有这个优先类别。", "There is no such priority class."),
        "evidence_missing": ("该优先类别需要出示凭证。", "This class needs evidence."),
        "class_not_granted": ("您不能给予该优先类别。", "You cannot grant this class."),
        "companions_out_of_range": ("同行人数最多 {most} 人。", "At most {most} companions."),
        "too_many_services": ("一次到访最多再办 {most} 项。", "At most {most} more services a visit."),
        "day_not_open": ("营业日未开始或已结束。", "The business day is not open."),
        "session_of_other": ("这是他人在岗的窗口，您不能操作。", "Another clerk holds this counter."),
        "session_closed": ("窗口已关闭，请重新选择窗口。", "The counter is closed. Choose a counter again."),
        "session_unknown": ("窗口已关闭，请重新选择窗口。", "The counter is closed. Choose a counter again."),
        "counter_unknown": ("没有这个窗口。", "There is no such counter."),
        "help_unknown": ("该求助已处理。", "That request has been dealt with."),
        "help_already_acknowledged": ("{clerk_name} 已前往。", "{clerk_name} is on the way."),
        "hall_not_configured": (
            "大厅尚未配置，请联系运维人员。",
            "The hall is not configured yet. Ask a technician.",
        ),
        "ledger_full": (
            "服务器存储空间已满，操作没有保存。已通知运维人员，请稍后再试。",
            "The server's disk is full; nothing was saved. A technician has been told. Try again later.",
        ),
        "ledger_unavailable": (
            "暂时无法保存，操作没有生效。请稍后再试。",
            "Nothing could be saved just now. Try again shortly.",
        ),
        "not_leading": ("服务器正在切换，请稍后再试。", "The server is changing over. Try again shortly."),
        "internal_error": (
            "程序出错，操作没有生效，已通知运维人员。请再试一次。",
            "An error in the program; nothing was done, and a technician has been told. Try once more.",
        ),
        "request_id_reused": ("请求编号重复，操作没有生效。", "The request id was used for something else."),
        "wrong_credentials": ("账号或密码不正确。", "The login or the password is wrong."),
        "locked": (
            "尝试次数过多，账号已锁定，请 {minutes} 分钟后再试。",
            "Too many attempts. Try again in {minutes} min.",
        ),
        "no_role": ("您的账号还没有岗位，请联系管理员。", "Your account has no role yet. Ask a manager."),
        "not_signed_in": ("请先登录。", "Sign in first."),
        "not_allowed": ("您的岗位不能进行此操作。", "Your role does not allow this."),
        "too_many_attempts": ("操作过于频繁，请 {seconds} 秒后再试。", "Too many requests. Try again in {seconds} s."),
        "invalid_request": ("请求不正确:{where}", "The request is not valid: {where}"),
        "not_found": ("没有找到。", "Not found."),
        "key_unknown": ("接口密钥无效或已停用。", "The API key is unknown or revoked."),
        "scope_missing": ("该密钥没有此项权限({scope})。", "The key may not do this ({scope})."),
        "idempotency_key_missing": (
            "请求缺少 Idempotency-Key，未办理。",
            "The header Idempotency-Key is missing; nothing was done.",
        ),
        "persons_not_keyed": (
            "服务器缺少大厅密钥，暂不能预约。请联系运维人员。",
            "The server lacks the hall's key; nothing can be booked. Ask a technician.",
        ),
        "service_unknown": ("没有这项业务。", "There is no such service."),
        "slot_unknown": ("没有这个预约时段，请重新选择。", "There is no such slot. Choose again."),
        "slot_past": ("该时段已开始或即将开始，请选择其他时段。", "The slot has begun or is about to. Choose another."),
        "slot_too_far": ("只能预约 {days} 天以内的时段。", "Slots can be booked up to {days} days ahead."),
        "slot_full": (
            "该时段已约满，请选择其他时段，或到大厅现场取号。",
            "The slot is full. Choose another, or take a number at the hall.",
        ),
        "channel_quota_reached": (
            "该时段在本渠道的名额已满，请选择其他时段，或到大厅现场取号。",
            "This channel's places in the slot are taken. Choose another slot, or take a number at the hall.",
        ),
        "already_booked": (
            "您已预约此业务。请先改约或取消原预约。",
            "An appointment for this service is booked already. Change or cancel it first.",
        ),
        "too_many_appointments": (
            "每人最多同时有 {limit} 个预约。请先取消一个。",
            "A person has at most {limit} open appointments. Cancel one first.",
        ),
        "booking_blocked": (
            "因多次爽约，暂停预约，至 {until}。仍可到大厅现场取号。",
            "Booking is paused until {until} after several missed appointments. Numbers at the hall are given as ever.",
        ),
        "appointment_unknown": ("没有找到该预约，请核对后再试。", "No such appointment. Check the code and try again."),
        "appointment_not_open": ("该预约已结束({state_words})。", "The appointment has ended ({state_words})."),
        "appointment_begun": ("预约时段已开始，不能取消。", "The slot has begun; it cannot be cancelled any more."),
        "change_too_late": (
            "须在时段开始 {minutes_before} 分钟前改约。",
            "An appointment can be changed until {minutes_before} min before it begins.",
        ),
        "check_in_too_early": (
            "还未到签到时间，请于 {opens_at} 后签到。",
            "Check-in is not open yet. Come back at {opens_at}.",
        ),
        "check_in_too_late": (
            "已过签到时间，请现场取号。",
            "The time for check-in is over. Please take a number.",
        ),
        "speech_not_installed": (
            "本服务器没有安装语音合成，未播报。请运维人员在程序源码目录执行：{install}",
            "Speech is not installed on this server; nothing was said. A technician runs, in its source: {install}",
        ),
        "speech_busy": (
            "还有广播正在合成，请稍后再试。",
            "Other announcements are still being made. Try again shortly.",
        ),
        "speech_failed": (
            "语音合成失败，未播报。请稍后再试；仍不行时请联系运维人员。",
            "The sentence could not be spoken. Try again later, then ask a technician.",
        ),
        "hall_without_voice": (
            "本大厅没有开启语音，不能播报。",
            "This hall's voice is switched off; nothing can be announced.",
        ),
        "zone_unknown": ("没有这个分区({zone})。", "There is no such zone ({zone})."),
        "text_empty": ("请填写要播报的内容。", "There is nothing to say."),
        "text_too_long": ("内容太长，最多 {most} 个字。", "The text is too long: {most} signs at most."),
        "text_not_speakable": (
            "有不能播报的字符：{signs}。请只用汉字、字母、数字和常用标点。",
            "These signs cannot be spoken: {signs}. Use Chinese characters, letters, digits and plain punctuation.",
        ),
        "not_blocked": ("该办事人没有被限制预约。", "The person is not blocked."),
    }
)


def sentence(refused: Refused, language: str) -> str:
    """The refusal as a sentence in `zh` or `en`; a code that has none is named with its number for staff."""
    zh, en = _SENTENCES.get(refused.code, ("操作没有完成({code})。", "Not done ({code})."))
    index = 1 if language == "en" else 0
    seconds = refused.retry_after or 0
    params = {
        **{name: _said(name, value) for name, value in refused.params.items()},
        "code": refused.code,
        "seconds": max(1, round(seconds)),
        "minutes": max(1, round(seconds / 60)),
        "state_words": STATES.get(str(refused.params.get("state", "")), ("", ""))[index],
    }
    return (en if language == "en" else zh).format_map(params)


def _said(name: str, value: object) -> object:
    """An instant on the hall's clock as people read it; anything else as it is."""
    return str(value)[:16].replace("T", " ") if name.endswith(("_at", "until")) else value
