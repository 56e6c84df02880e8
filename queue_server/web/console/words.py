"""The words of the consoles, Chinese first, and what each alert means with what to do about it."""

from collections.abc import Mapping
from typing import Literal

from queue_server.projection import AlertNow

Language = Literal["zh", "en"]

WORDS: Mapping[str, tuple[str, str]] = {
    "console": ("窗口工作台", "Counter console"),
    "staff_page": ("运维与告警", "Terminals and alerts"),
    "to_counter": ("窗口工作台", "Counter console"),
    "sign_in": ("登录", "Sign in"),
    "sign_out": ("退出登录", "Sign out"),
    "login": ("账号", "Login"),
    "password": ("密码", "Password"),
    "sign_in_hint": ("账号由大厅管理员开通。", "Accounts are opened by the hall's manager."),
    "session_ended": ("登录已失效，请重新登录。", "Your sign-in has ended. Please sign in again."),
    "other_language": ("English", "中文"),
    "choose_counter": ("请选择您所在的窗口", "Choose the counter you sit at"),
    "choose_hint": (
        "选择后即在岗，可以叫号。有人在岗的窗口不能重复占用。",
        "You are then on duty and may call. A counter that somebody holds cannot be taken.",
    ),
    "no_counters": (
        "大厅尚未配置窗口，请联系运维人员载入大厅配置。",
        "The hall has no counters yet. Ask a technician to load its configuration.",
    ),
    "no_clerk_role": ("您的账号没有窗口岗位。", "Your account has no clerk's role."),
    "free": ("空闲", "free"),
    "waiting_there": ("{n} 人等候", "{n} waiting"),
    "held_by": ("{name} 在岗", "held by {name}"),
    "release": ("释放窗口", "Release"),
    "take": ("到岗", "Take"),
    "counter": ("{number} 号窗口", "Counter {number}"),
    "close_counter": ("离岗", "Close counter"),
    "now_serving": ("当前", "Now"),
    "nobody_now": ("窗口空闲", "The counter is free"),
    "nobody_now_hint": ("按 N 叫下一位，或在右侧列表中选择。", "Press N to call the next, or choose from the list."),
    "nobody_waits_hint": (
        "现在没有人等候。有人取号后，这里会立即显示。",
        "Nobody waits. As soon as somebody takes a number it shows here.",
    ),
    "called_since": ("叫号后 {time}", "called {time} ago"),
    "serving_since": ("已办理 {time}", "served for {time}"),
    "waited": ("等候 {time}", "waited {time}"),
    "recalled": ("重呼 {times} 次", "recalled {times}×"),
    "next": ("下一位", "Next"),
    "nobody_next": ("没有人等候", "Nobody waits"),
    "act_next": ("叫下一位", "Call next"),
    "act_recall": ("重呼", "Recall"),
    "act_start": ("开始办理", "Start"),
    "act_complete": ("办结", "Complete"),
    "act_finish": ("办结并叫下一位", "Complete and call next"),
    "act_no_show": ("过号", "No-show"),
    "act_call": ("叫此号", "Call"),
    "act_more": ("转办、挂起、改类、作废", "Send on, hold, correct, void"),
    "act_transfer": ("转办", "Send on"),
    "act_another": ("加办", "Add service"),
    "act_reclassify": ("改类", "Correct"),
    "act_hold": ("挂起", "Hold"),
    "act_park": ("留给我", "Park with me"),
    "act_undo": ("撤销", "Undo"),
    "act_undo_call": ("撤销叫号 {number}", "Undo call {number}"),
    "act_undo_completion": ("撤销办结 {number}", "Undo completion {number}"),
    "act_undo_no_show": ("撤销过号 {number}", "Undo no-show {number}"),
    "act_duty": ("暂停·配置", "Pause, profile"),
    "act_resume": ("恢复等候", "Back to line"),
    "act_reinstate": ("恢复排队", "Put back"),
    "act_go_on": ("恢复叫号", "Continue"),
    "act_take_over_sure": ("再按一次接管", "Press again to take over"),
    "take_over": ("接管", "Take over"),
    "panel_transfer": ("转办", "Send on"),
    "panel_another": ("同一到访加办", "Another service of this visit"),
    "panel_reclassify": ("改类", "Correct"),
    "panel_duty": ("暂停与业务配置", "Pause and work profile"),
    "close_panel": ("关闭", "Close"),
    "send_to": ("交给", "To"),
    "the_hall": ("大厅排队", "The hall's line"),
    "my_counter": ("本窗口", "This counter"),
    "serve_here": ("本窗口接着办", "Here, now"),
    "serve_later": ("办完后到“{queue}”排队", "Afterwards, in the line “{queue}”"),
    "priority_classes": ("优先类别", "Priority class"),
    "companions": ("同行人数", "Companions"),
    "correct_service": ("实际业务", "The service it is for"),
    "pause_for": ("暂停叫号,原因", "Pause, because of"),
    "pause_when_free": ("办完当前号票后才能暂停。", "Finish the current ticket first."),
    "work_profiles": ("业务配置(叫哪些队列)", "Work profile (which queues are called)"),
    "paused": ("暂停叫号:{reason}", "Paused: {reason}"),
    "paused_mark": ("暂停", "Pause"),
    "paused_since": ("已暂停 {time}", "for {time}"),
    "then": ("接着办:", "Then:"),
    "aside": ("挂起与过号", "On hold and passed"),
    "tag_companions": ("同行 {n} 人", "+{n}"),
    "tag_appointment": ("预约", "Appointment"),
    "tag_from": ("{time} 起可叫", "from {time}"),
    "tag_for": ("指定 {who}", "for {who}"),
    "act_cancel": ("作废", "Void"),
    "act_cancel_sure": ("再按一次作废", "Press again to void"),
    "act_release_sure": ("再按一次释放", "Press again to release"),
    "queues": ("等候队列", "Waiting"),
    "people": ("{n} 人", "{n} waiting"),
    "range": ("约 {low}–{high} 分钟", "about {low}–{high} min"),
    "more": ("还有 {n} 人", "{n} more"),
    "queue_empty": ("无人等候", "Nobody waits"),
    "help_title": ("{device} 有人求助", "Help wanted at {device}"),
    "help_since": ("{time}前", "{time} ago"),
    "help_go": ("我去处理", "I'm going"),
    "done_help": ("已通知大厅：您正前往。", "Noted: you are on the way."),
    "done_next": ("已叫 {number}。", "{number} called."),
    "done_recall": ("已重呼 {number}。", "{number} recalled."),
    "done_start": ("{number} 开始办理。", "{number} is being served."),
    "done_complete": ("{number} 已办结。", "{number} completed."),
    "done_no_show": ("{number} 已记过号。", "{number} marked as a no-show."),
    "done_transfer": ("{number} 已转办,号码和到达时间不变。", "{number} sent on; number and arrival stay."),
    "done_hold": ("{number} 已挂起。", "{number} is on hold."),
    "done_resume": ("已恢复等候。", "It waits again."),
    "done_reinstate": ("已恢复排队。", "It is back in line."),
    "done_reclassify": ("{number} 已更正。", "{number} corrected."),
    "done_another": ("{number} 已加办。", "{number}: service added."),
    "done_undo": ("已撤销。", "Undone."),
    "done_pause": ("已暂停叫号。", "Paused."),
    "done_go_on": ("已恢复叫号。", "Calling again."),
    "done_profile": ("业务配置已更换。", "Work profile changed."),
    "done_cancel": ("号票已作废。", "Ticket voided."),
    "connection_lost": (
        "与服务器的连接已断开，正在重新连接。此时的操作不会生效。",
        "The connection to the server is lost; reconnecting. Nothing you do now takes effect.",
    ),
    "hall_stale": (
        "服务器正在切换，画面可能不是最新。",
        "The server is changing over; what you see may be out of date.",
    ),
    "less_than_minute": ("不到 1 分钟", "under 1 min"),
    "minutes": ("{n} 分钟", "{n} min"),
    "hours": ("{h} 小时 {n} 分钟", "{h} h {n} min"),
    "terminals": ("自助终端", "Terminals"),
    "no_terminals": (
        "还没有登记的终端。请在服务器上用 devices add 命令登记第一台。",
        "No terminal is registered yet. Register the first one on the server with the devices add command.",
    ),
    "alerts": ("未解除的告警", "Open alerts"),
    "no_alerts": ("没有告警，一切正常。", "No alerts. All is well."),
    "clear": ("已处理，解除", "Dealt with: clear"),
    "one_time_code": ("一次性口令", "One-time code"),
    "code_hint": (
        "在终端隐藏角输入；每 30 秒更换，查看已留痕。",
        "Type it behind the terminal's hidden corner. Changes every 30 s; looking at it is recorded.",
    ),
    "last_ticket": ("上次出号 {time}", "last ticket {time}"),
    "backlog": ("待上传 {n} 条", "{n} entries not sent"),
    "displays": ("已连接叫号屏 {n} 块", "{n} displays connected"),
    "presence_ready": ("在线", "online"),
    "presence_init": ("启动中", "starting"),
    "presence_degraded": ("降级运行", "degraded"),
    "presence_offline": ("离线", "offline"),
    "presence_unknown": ("未知", "unknown"),
    "registered_pending": ("待登记", "not registered"),
    "registered_refused": ("已停用", "turned away"),
    "registered_cloned": ("身份重复，已停用", "stopped: two machines"),
    "health_ok": ("正常", "ok"),
    "health_degraded": ("降级", "degraded"),
    "health_fault": ("故障", "fault"),
    "health_offline": ("离线", "offline"),
    "health_not_supported": ("不支持", "not supported"),
    "health_unknown": ("未知", "unknown"),
    "supply_paper_low": ("纸将尽", "paper low"),
    "supply_paper_out": ("缺纸", "out of paper"),
    "supply_paper_jammed": ("卡纸", "paper jam"),
    "supply_toner_low": ("墨粉将尽", "toner low"),
    "supply_toner_out": ("墨粉用尽", "toner used up"),
    "supply_battery_low": ("电池电量低", "battery low"),
    "supply_battery_out": ("电池耗尽", "battery empty"),
    "role_id-card-reader": ("身份证阅读器", "ID card reader"),
    "role_social-card-reader": ("社保卡读卡器", "social security card reader"),
    "role_bank-card-reader": ("银行卡读卡器", "bank card reader"),
    "role_ticket-printer": ("号票打印机", "ticket printer"),
    "role_document-printer": ("A4 打印机", "document printer"),
    "role_code-scanner": ("扫码器", "code scanner"),
    "role_code-camera": ("扫码摄像头", "code camera"),
    "role_document-camera": ("高拍仪", "document camera"),
    "role_face-camera": ("人脸摄像头", "face camera"),
    "role_keypad": ("数字键盘", "keypad"),
    "role_guide-lights": ("引导灯", "guide lights"),
    "role_presence-sensor": ("人体感应器", "presence sensor"),
    "role_door-switch": ("柜门开关", "door switch"),
    "role_tamper-switch": ("防拆开关", "tamper switch"),
    "role_ups": ("备用电源", "UPS"),
    "role_speaker": ("扬声器", "speaker"),
    "role_evaluator": ("评价器", "evaluator"),
    "role_window-display": ("窗口显示屏", "window display"),
    "role_caller": ("物理呼叫器", "caller"),
    "severity_critical": ("严重", "critical"),
    "severity_warning": ("警告", "warning"),
    "severity_info": ("提示", "notice"),
    "since": ("{time} 起", "since {time}"),
    "times": ("{n} 次", "{n}×"),
    "staff_only": ("本页仅供运维人员和管理员使用。", "This page is for technicians and managers."),
}

ALERTS: Mapping[str, tuple[str, str]] = {
    "ledger_full": (
        "磁盘已满，无法取号和叫号。请立即清理磁盘。",
        "The disk is full: no numbers, no calls. Free space now.",
    ),
    "ledger_unavailable": (
        "账本暂时不可写。请检查磁盘和数据库。",
        "The ledger cannot be written. Check disk and database.",
    ),
    "ledger_broken": (
        "账本校验不符，可能被改动。请立即上报。",
        "The ledger fails its check; it may have been edited. Report.",
    ),
    "not_leading": ("本服务器未主持大厅。请检查另一台服务器。", "This server does not lead. Check the other server."),
    "server_lost": (
        "原主持服务器失去联系，本服务器已接管大厅。请检查那台服务器。",
        "The server that led is gone; this one leads now. Look after the other.",
    ),
    "hall_inconsistent": (
        "程序内部错误，已自动恢复。请联系供应商。",
        "An internal error; recovered. Tell the supplier.",
    ),
    "broker_lost": (
        "与消息服务断开，终端无法取号。请检查 Mosquitto。",
        "The broker is lost: no numbers. Check Mosquitto.",
    ),
    "cloned_device": (
        "两台机器使用同一身份，均已停用。请到现场核对，再重新登记正确的一台。",
        "Two machines use one identity; both are stopped. Check on the spot, then register the right one anew.",
    ),
    "refused_device_speaks": (
        "已停用的终端仍在发送请求，均已拒绝。请到现场核对这台设备。",
        "A terminal that was shut out still asks; it is refused. Look for the machine.",
    ),
    "facts_set_aside": (
        "终端有大厅拒收的记录，已搁置在终端。请查看终端日志，并联系技术支持。",
        "The hall refused records of this terminal for good; they are kept there. Look at its log, and call support.",
    ),
    "request_quarantined": (
        "终端的一个请求多次使系统出错，已搁置，未办理。请找到该终端前的人，并联系技术支持。",
        "A terminal's request broke the program again and again and was set aside, not done. Look for the person, "
        "and call support.",
    ),
    "request_id_reused": ("终端重复使用请求编号。请检查该终端。", "A terminal reuses request ids. Check it."),
    "numbers_exhausted": ("号码已发完。请管理员扩大号段。", "The numbers are used up. A manager extends the range."),
    "numbers_running_out": (
        "号码将用完。请管理员扩大号段，否则将无法取号。",
        "The numbers run out. A manager extends the range before people are turned away.",
    ),
    "numbers_extended": (
        "号码已超出常用号段，正在使用扩展号段。请管理员检查。",
        "Numbers go on beyond the usual range. A manager should look at it.",
    ),
    "suspicious_repetition": (
        "取号异常频繁，疑似代抢、倒号。请到现场看看。",
        "Numbers are taken unusually often: hoarding? Have a look there.",
    ),
    "offline_ticket_refused": (
        "断网期间取的号，业务已取消，无法补录。请找到持票人。",
        "A number taken offline is for a service that is gone. Find its holder.",
    ),
    "offline_number_changed": (
        "这张断网号票的号码与他人重复，已改号。请找到持票人并告知新号。",
        "This offline slip's number was given twice and has been changed. Find its holder and tell them.",
    ),
    "offline_prefixes_exhausted": (
        "离线号字母已用完，新终端断网时不能取号。请在大厅配置中增加字母。",
        "No letters are left for offline numbers: new terminals give none offline. Add a letter to the configuration.",
    ),
    "configuration_refused": (
        "大厅配置文件有误，未生效。请改正。",
        "The configuration is wrong and not in force. Correct it.",
    ),
    "device_lost": ("终端离线。请检查电源和网络。", "The terminal is offline. Check power and network."),
    "device_pending": ("新终端等待登记。", "A new terminal waits to be registered."),
    "device_floods": (
        "终端发送的消息过多，多余的已被拒绝。请到现场查看该终端。",
        "A terminal sends far too many messages; those beyond its share are refused. Look at the machine.",
    ),
    "malformed_messages": (
        "收到不合规的消息。请检查该终端的版本。",
        "Malformed messages. Check the terminal's version.",
    ),
    "sign_in_locked": (
        "密码多次错误，账号已锁定。请核实是否本人。",
        "Locked after wrong passwords. Ask if it was them.",
    ),
    "printer_out_of_paper": ("缺纸，请加纸：{role}。", "Out of paper. Load some: {role}."),
    "printer_paper_low": ("打印纸将尽，请备纸：{role}。", "Paper runs low. Have some ready: {role}."),
    "printer_jammed": ("卡纸，请开盖取出：{role}。", "Paper jam. Open it and take the paper out: {role}."),
    "printer_out_of_toner": ("墨粉用尽，请更换墨盒：{role}。", "Toner is used up. Change the cartridge: {role}."),
    "printer_toner_low": ("墨粉将尽，请备墨盒：{role}。", "Toner runs low. Have a cartridge ready: {role}."),
    "peripheral_fault": ("外设故障，请到现场检查：{role}。", "A peripheral is faulty. Check on the spot: {role}."),
    "peripheral_offline": ("外设无响应，请检查连线：{role}。", "A peripheral is offline. Check its cable: {role}."),
    "peripheral_unknown": (
        "外设状态未知，请到现场检查：{role}。",
        "A peripheral's state is unknown. Check on the spot: {role}.",
    ),
    "cabinet_open": (
        "终端柜门已打开。请确认是维护人员。",
        "The terminal's door is open. Make sure it is a technician.",
    ),
    "cabinet_tampered": ("终端防拆开关触发，请立即到现场查看。", "The terminal is being tampered with. Go there now."),
    "power_on_battery": (
        "终端市电中断，正在使用备用电源。请检查插座和电闸。",
        "The terminal runs on its battery. Check socket and breaker.",
    ),
    "power_battery_low": (
        "终端备用电源即将耗尽，已停止取号。请恢复供电。",
        "The terminal's battery is nearly empty; it gives no more numbers. Restore the power.",
    ),
    "power_battery_worn": ("终端备用电源的电池需要更换。", "The battery of the terminal's UPS needs replacing."),
    "display_speaker_gone": (
        "播音屏已离线，叫号没有声音。请检查电视。",
        "The speaking display is gone: calls are silent.",
    ),
    "display_sound_blocked": (
        "播音屏被浏览器禁音。请点击该屏幕一次。",
        "The display's sound is blocked. Click its screen once.",
    ),
    "display_voice_failed": (
        "语音播放失败，仅有提示音。请检查播音屏。",
        "Speech failed; only a chime is heard. Check the display.",
    ),
    "webhook_failing": (
        "预约渠道的通知接收端没有响应，正在重试。请联系该渠道。",
        "A booking channel's receiver does not answer; its notices are tried again. Ask the channel.",
    ),
    "webhook_dead": (
        "有通知多次未能送达预约渠道，已停止重试。请联系该渠道后重新发送。",
        "Notices to a booking channel were given up. Ask the channel, then send them again.",
    ),
    "display_behind": (
        "叫号太密，播报来不及。可增设播音分区或改用静音叫号。",
        "Calls come faster than they can be spoken. Add a zone, or call silently.",
    ),
}


def word(name: str, language: Language, /, **params: object) -> str:
    """A text of the consoles."""
    zh, en = WORDS[name]
    return (en if language == "en" else zh).format(**params)


def role_name(role: str, language: Language) -> str:
    """The name of a peripheral's role; its id where there is none."""
    return word(f"role_{role}", language) if f"role_{role}" in WORDS else role


def supply_text(supply: str, state: str, language: Language) -> str:
    """What is the matter with a supply of a device, by its name; one without words is named by its codes."""
    key = f"supply_{supply}_{state}"
    return word(key, language) if key in WORDS else f"{supply} {state}"


def alert_text(alert: AlertNow, language: Language) -> str:
    """What the alert means and what to do; a code without words is shown as it is."""
    zh, en = ALERTS.get(alert.code, (alert.code, alert.code))
    named = [role_name(role, language) for role in alert.params.get("role", "").split(",")]
    return en.replace("{role}", ", ".join(named)) if language == "en" else zh.replace("{role}", "、".join(named))


def duration(seconds: float, language: Language) -> str:
    """A length of time in whole minutes."""
    minutes = int(max(0.0, seconds) // 60)
    if minutes < 1:
        return word("less_than_minute", language)
    if minutes < 60:
        return word("minutes", language, n=minutes)
    return word("hours", language, h=minutes // 60, n=minutes % 60)
