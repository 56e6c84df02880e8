"""One believable message of each kind: examples of the AsyncAPI document, and what tests start from."""

from datetime import UTC, datetime

from wire import messages as m
from wire.codec import encode

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
REQUEST = "5f0c9a17b2e4d863-7"
"""Id of a request: the seventh of its boot."""
TICKET = "tk-20260302-a017"
_WAIT = m.Wait(low=8, high=15, made_at=AT)
_HALL = {"zh": "示例市政务服务中心", "en": "Service Centre of Sample City"}

EXAMPLES: dict[str, m.Message] = {
    "hello": m.Hello(
        boot_id="5f0c9a17b2e4d863",
        conn_seq=3,
        instance="c0ffee-01",
        versions={"terminal": "0.1.0"},
        offline=m.OfflineUse(own_next=8, leases={"lease-12": 1047}),
    ),
    "issue": m.Issue(service="social-insurance-card", person="9f" * 32, language="zh"),
    "check_in": m.CheckIn(code="7Q2KX-M40AB"),
    "help": m.Help(screen="services"),
    "withdraw": m.Withdraw(request_id=REQUEST, reason="left"),
    "slip": m.Slip(ticket=TICKET, outcome="shown", cause="paper_out"),
    "offline_ticket": m.OfflineTicket(
        ticket="c3" * 16,
        follow_token="dGFrZW4tb2ZmbGluZS0x",
        service="social-insurance-card",
        queue="social-insurance",
        number="XA007",
        prefix="XA",
        serial=7,
        business_date=AT.date(),
        taken_at=AT,
        uncertain_s=2,
    ),
    "hello_answer": m.HelloAnswer(
        verdict="accepted",
        server_time=AT,
        configuration_revision=12,
        offline=m.OfflineGrant(
            prefix="XA",
            first=1,
            last=999,
            digits=3,
            leases=(
                m.NumberLease(
                    lease="lease-12",
                    queue="social-insurance",
                    prefix="A",
                    first=1041,
                    last=1060,
                    digits=3,
                    business_date=AT.date(),
                ),
            ),
            days=(m.BusinessDay(business_date=AT.date(), ends_at=datetime(2026, 3, 2, 20, tzinfo=UTC)),),
            hours={"office": (m.OpenStretch(begins=AT, ends=datetime(2026, 3, 2, 9, tzinfo=UTC)),)},
            follow_base="https://queue.example/t/",
        ),
    ),
    "issue_answer": m.IssueAnswer(
        ticket=TICKET,
        number="A017",
        service="social-insurance-card",
        queue="social-insurance",
        business_date="2026-03-02",
        issued_at=AT,
        people_ahead=6,
        wait=_WAIT,
        counters=("3", "5"),
        follow_url="https://queue.example/t/Zm9sbG93LW1l",
    ),
    "help_answer": m.HelpAnswer(help="help-31"),
    "fact_answer": m.FactAnswer(ticket=TICKET, cancelled=True),
    "refused": m.Refused(code="service_closed", params={"service": "social-insurance-card"}, retry_after=60.0),
    "presence": m.Presence(boot_id="5f0c9a17b2e4d863", conn_seq=3, state="ready"),
    "reported": m.Reported(
        peripherals=(
            m.PeripheralReport(
                role="ticket-printer",
                driver="escpos",
                health="degraded",
                detail="paper_low",
                supplies={"paper": "low"},
            ),
        ),
        versions={"terminal": "0.1.0"},
        configuration_revision=12,
        last_ticket_at=AT,
    ),
    "desired": m.Desired(revision=12, sha256="ab" * 32, url=f"https://queue.example/bundles/{'ab' * 32}.json"),
    "order": m.Order(action="self_test"),
    "services": m.Services(
        services=(
            m.ServiceNow(service="social-insurance-card", open=True, waiting=6, wait=_WAIT),
            m.ServiceNow(service="real-estate", open=False, reason="no_counter", waiting=0),
        )
    ),
    "board": m.Board(
        zone="east",
        hall_name=_HALL,
        calls=(m.BoardCall(call_id="call-88", number="A016", counter="5", at=AT),),
        queues=(
            m.BoardQueue(
                queue="social-insurance", name={"zh": "社会保险", "en": "Social insurance"}, waiting=6, wait=_WAIT
            ),
        ),
    ),
    "call": m.Call(
        call_id="call-88",
        number="A016",
        counter="5",
        text="请 A016 号到 5 号窗口办理",
        audio="https://queue.example/audio/call-88.wav",
    ),
    "server_presence": m.ServerPresence(state="online", since=AT, leads={"city-hall": 4}),
}


def payload(kind: str) -> bytes:
    """The example of `kind` as it travels."""
    from_server = kind not in (m.REQUESTS | m.FACTS | {"presence", "reported"})
    epoch, rev = (4, 1207) if from_server else (None, None)
    return encode(EXAMPLES[kind], message_id=REQUEST, at=AT, epoch=epoch, rev=rev)
