"""Reasons in words: a sentence that a manager can read aloud."""

from types import MappingProxyType

from queue_server.hall.base import Why
from queue_server.hall.configuration import HallConfiguration
from queue_server.hall.texts import Text

SENTENCES = MappingProxyType(
    {
        "requested": Text("按操作人要求。", "As asked."),
        "longest_waiting": Text(
            "{number} 在本窗口可叫的号票中等候最久,已等 {minutes} 分钟。",
            "{number} has waited longest of all that this counter may call: {minutes} min.",
        ),
        "head_start": Text(
            "{number} 属于“{priority_class}”,按规则提前 {head_start} 分钟,已等 {minutes} 分钟,因此先于 {other}。",
            "{number} is “{priority_class}”: a head start of {head_start} min by rule and {minutes} min of waiting "
            "put it before {other}.",
        ),
        "higher_score": Text(
            "{number} 属于“{priority_class}”,按规则优先累积更快,已等 {minutes} 分钟,因此先于 {other}。",
            "{number} is “{priority_class}”, which gains priority faster by rule; after {minutes} min of waiting "
            "it comes before {other}.",
        ),
        "over_cap": Text(
            "{number} 已等 {minutes} 分钟,超过“{priority_class}”最长等候 {cap} 分钟的规定,因此最先叫。",
            "{number} has waited {minutes} min, more than the {cap} min that “{priority_class}” may wait at most: "
            "it goes first.",
        ),
        "addressed": Text(
            "{number} 指定由本窗口或本人办理,已等 {minutes} 分钟。",
            "{number} was sent to this counter or clerk and has waited {minutes} min.",
        ),
        "higher_weight": Text(
            "本窗口优先办理“{queue}”,{number} 已等 {minutes} 分钟,因此先于 {other}。",
            "This counter serves “{queue}” first: {number}, {minutes} min of waiting, comes before {other}.",
        ),
        "turn_of_class": Text(
            "按比例叫号({shares}),轮到“{priority_class}”,{number} 是其中等候最久的({minutes} 分钟)。",
            "Called by ratio ({shares}): it is the turn of “{priority_class}”, and {number} has waited longest "
            "of them ({minutes} min).",
        ),
        "chosen_by_clerk": Text("窗口人员 {clerk} 指定叫 {number}。", "Clerk {clerk} chose {number}."),
        "chosen_over": Text(
            "窗口人员 {clerk} 指定叫 {number};按规则应先叫 {other}。",
            "Clerk {clerk} chose {number}; by rule {other} would have been next.",
        ),
        "transferred": Text("{number} 转办“{service}”。", "{number} is sent on for “{service}”."),
        "next_service": Text("{number} 接着办“{service}”。", "{number} goes on with “{service}”."),
        "another_service": Text("{number} 加办“{service}”。", "{number} also asks for “{service}”."),
        "reclassified": Text(
            "{number} 改为“{service}”“{priority_class}”。", "{number} is now for “{service}”, “{priority_class}”."
        ),
        "held": Text("{number} 挂起。", "{number} is on hold."),
        "parked": Text("{number} 挂起在本窗口或本人名下。", "{number} is parked with the counter or clerk."),
        "resumed": Text("{number} 恢复等候。", "{number} waits again."),
        "not_come": Text("{number} 叫号 {calls} 次未到。", "{number} was called {calls} times and did not come."),
        "reinserted": Text(
            "{number} 未到,按规则排到 {behind} 人之后。",
            "{number} did not come: by rule it goes behind {behind} people.",
        ),
        "backs_off": Text(
            "{number} 未到,按规则 {minutes} 分钟后再叫。",
            "{number} did not come: by rule it is called again after {minutes} min.",
        ),
        "reinstated": Text("{number} 恢复,排到 {behind} 人之后。", "{number} is reinstated behind {behind} people."),
        "undone_call": Text("撤销误叫 {number},回到原位。", "The call of {number} is undone; it has its place again."),
        "undone_completion": Text("撤销 {number} 的办结。", "The completion of {number} is undone."),
        "undone_no_show": Text("撤销 {number} 的过号。", "The no-show of {number} is undone."),
        "counter_paused": Text("窗口暂停:{reason}。", "The counter pauses: {reason}."),
        "taken_over": Text("{clerk} 接管窗口。", "{clerk} takes the counter over."),
        "rated": Text("办事人评价。", "The visitor's rating."),
        "recalled": Text("第 {times} 次重呼 {number}。", "Recall no. {times} of {number}."),
        "citizen_left": Text("办事人离开或放弃取号。", "The citizen left or gave the number up."),
        "cancelled_by_staff": Text("工作人员作废。", "Cancelled by staff."),
        "repetition_person": Text(
            "同一身份今天已取 {count} 个号，最近一个是 {number}。请留意是否代抢、倒号。",
            "One person took {count} numbers today, {number} the latest. Look whether places are being hoarded.",
        ),
        "repetition_device": Text(
            "这台终端短时间内给出 {count} 个未刷身份证的号，最近一个是 {number}。请到现场看看。",
            "A terminal gave {count} numbers without a card in a short time, {number} the latest. Have a look there.",
        ),
        "repetition_offline": Text(
            "{number} 是断网期间取的第二个号：同一身份已有同一业务的号。",
            "{number} was taken offline by somebody who holds a number for this service already.",
        ),
        "taken_offline": Text(
            "断网期间取的号，按取号时间排入队伍（时间误差不超过 {uncertain_s} 秒）。",
            "Taken while the terminal was offline; placed by the time it was taken (known to {uncertain_s} s).",
        ),
        "taken_offline_uncertain": Text(
            "断网期间取的号，终端时钟不可靠（误差可达 {uncertain_s} 秒），按最晚可能的取号时间排入队伍。",
            "Taken offline by a clock that may be {uncertain_s} s wrong; placed by the latest time it can have been.",
        ),
        "offline_numbers": Text("断网备用号段。", "Numbers for times without a connection."),
        "lease_over": Text("号段所属的营业日已结束。", "The day of these numbers is over."),
        "holder_renewed": Text(
            "技术人员已核对本机；原有号段全部作废，不再使用。",
            "A technician made sure of this machine; what it held before is given to nobody any more.",
        ),
        "lease_given_back": Text("终端交还号段。", "The terminal gave these numbers back."),
        "two_holders": Text(
            "两台机器持有同一号段（{number}），已全部停用，请到现场核对。",
            "Two machines hold the same numbers ({number}); both are stopped. Check on the spot.",
        ),
        "service_gone": Text(
            "{number} 是断网期间取的号，但该业务已取消，请找到持票人。",
            "{number} was taken offline for a service that is gone. Find its holder.",
        ),
        "joined_after_day_end": Text(
            "断网期间取的号，补录时当天已结束。", "Taken offline; its day was over when the terminal came back."
        ),
        "number_held_twice": Text(
            "两台机器用同一身份给出了 {printed}；这一张改为 {number}，请找到持票人。",
            "Two machines with one identity gave {printed}; this one is now {number}. Find its holder.",
        ),
        "never_came": Text("预约后未到。", "Booked and never came."),
        "turn_near": Text(
            "前面还有 {ahead} 人，已提醒预约渠道。", "{ahead} people ahead: the booking channel is told."
        ),
        "lifted_by_staff": Text("工作人员解除预约限制。", "Staff let the person book again."),
        "day_began": Text("新的营业日开始。", "A new business day began."),
        "day_ended": Text("营业日结束。", "The business day ended."),
        "closed_by_staff": Text("工作人员提前结束营业日。", "Staff closed the business day early."),
    }
)


def words(why: Why, language: str, configuration: HallConfiguration) -> str:
    """The sentence for `why` in `zh` or `en`; a code without a sentence (from a newer core) is shown as it is."""
    sentence = SENTENCES.get(why.code)
    if sentence is None:
        return why.code
    params = dict(why.params)
    named = configuration.priority_class(str(params.get("priority_class", "")))
    if named is not None:
        params["priority_class"] = named.name.in_language(language)
    if queue := configuration.queue(str(params.get("queue", ""))):
        params["queue"] = queue.name.in_language(language)
    if service := configuration.service(str(params.get("service", ""))):
        params["service"] = service.name.in_language(language)
    if reason := configuration.pause_reason(str(params.get("reason", ""))):
        params["reason"] = reason.name.in_language(language)
    if isinstance(seconds := params.get("head_start_s"), int):
        params["head_start"] = f"{seconds / 60:g}"
    return sentence.in_language(language).format_map(params)
