"""Words for devices and their conditions, as the technician reads them; a code without words is shown as it is."""

from kiosk.journeys.words import Words, mark

_ROLES = {
    "id_card_reader": mark("ID card reader"),
    "social_card_reader": mark("Social security card reader"),
    "bank_card_reader": mark("Bank card reader"),
    "ticket_printer": mark("Ticket printer"),
    "document_printer": mark("Document printer"),
    "code_scanner": mark("Code scanner"),
    "code_camera": mark("Code camera"),
    "document_camera": mark("Document camera"),
    "face_camera": mark("Face camera"),
    "keypad": mark("Keypad"),
    "guide_lights": mark("Guide lights"),
    "presence_sensor": mark("Presence sensor"),
    "door_switch": mark("Door switch"),
    "tamper_switch": mark("Tamper switch"),
    "ups": mark("Backup power"),
    "speaker": mark("Speaker"),
    "evaluator": mark("Evaluator"),
    "window_display": mark("Window display"),
    "caller": mark("Caller"),
}
_DETAILS = {
    "no_answer": mark("no answer"),
    "line_lost": mark("cable or power lost"),
    "line_stalled": mark("takes no data"),
    "driver_error": mark("driver error"),
    "paper_low": mark("paper low"),
    "paper_out": mark("out of paper"),
    "cover_open": mark("cover open"),
    "cutter_error": mark("cutter jammed"),
    "head_too_hot": mark("print head too hot"),
    "printer_error": mark("printer error"),
    "printer_offline": mark("printer switched off"),
    "bad_document": mark("cannot be printed"),
    "slip_not_taken": mark("slip not taken"),
    "job_repeated": mark("printed before, not again"),
    "job_not_kept": mark("print job could not be saved"),
    "interrupted": mark("printing was interrupted"),
    "paper_jam": mark("paper jam"),
    "toner_low": mark("toner low"),
    "toner_out": mark("toner used up"),
    "printer_stopped": mark("print queue stopped"),
    "job_stuck": mark("print job stuck"),
    "job_lost": mark("print job lost"),
    "pages_missing": mark("pages missing"),
    "asleep": mark("asleep"),
    "no_card": mark("no card"),
    "read_failed": mark("card could not be read"),
    "several_cards": mark("several cards"),
    "card_not_lifted": mark("card was not lifted"),
    "wrong_card": mark("another kind of card"),
    "self_test_failed": mark("self-test failed"),
    "sam_not_authorised": mark("security module not authorised"),
    "card_service_lost": mark("card service not running"),
    "card_held": mark("card held by another program"),
    "cannot_be_asked": mark("cannot be asked"),
    "no_code": mark("no code"),
    "bad_code": mark("unusable code"),
    "no_frames": mark("no picture"),
    "frozen_picture": mark("picture frozen"),
    "no_page": mark("no page found"),
    "page_cut_off": mark("page cut off"),
    "page_too_small": mark("page too small"),
    "blurred": mark("picture blurred"),
    "glare": mark("glare"),
    "no_consent": mark("no consent"),
    "no_face": mark("no face"),
    "several_faces": mark("several faces"),
    "face_too_small": mark("face too small"),
    "face_turned": mark("face turned"),
    "too_dark": mark("too dark"),
    "too_bright": mark("too bright"),
    "challenge_not_met": mark("movements not made"),
    "not_the_same_face": mark("not the same face"),
    "bad_card_photo": mark("photo on the card unusable"),
    "unknown_answer": mark("unknown answer"),
    "nobody_seen": mark("nobody seen"),
    "key_stuck": mark("key stuck"),
    "no_key": mark("no key pressed"),
    "module_refused": mark("module refuses"),
    "output_stuck": mark("output does not switch"),
    "door_not_moved": mark("door not moved"),
    "door_open": mark("door open"),
    "tampered": mark("opened by force"),
    "on_battery": mark("on battery"),
    "battery_low": mark("battery low"),
    "battery_worn": mark("battery to be replaced"),
    "ups_overloaded": mark("overloaded"),
    "ups_bypassed": mark("bypassed"),
    "ups_off": mark("switched off"),
    "ups_lost": mark("cable to the UPS lost"),
    "no_such_ups": mark("no UPS of that name"),
    "no_sound_card": mark("no sound card"),
    "sound_refused": mark("sound refused"),
    "bad_sound": mark("unusable sound file"),
    "bad_text": mark("cannot be shown"),
    "counter_silent": mark("a counter does not answer"),
    "deadline_passed": mark("took too long"),
    "cancelled": mark("cancelled"),
}
_SUPPLIES = {"paper": mark("Paper"), "toner": mark("Toner"), "battery": mark("Battery")}
_AMOUNTS = {
    "ok": mark("enough"),
    "low": mark("running low"),
    "out": mark("used up"),
    "jammed": mark("jammed"),
    "unknown": mark("not known"),
    "not_supported": mark("not measured"),
}
_VALUES = {
    "yes": mark("yes"),
    "no": mark("no"),
    "accepted": mark("admitted"),
    "pending": mark("waiting for admission"),
    "refused": mark("refused"),
}


def role(words: Words, role: str) -> str:
    """The name of a device by its role."""
    return words.tr(_ROLES[role]) if role in _ROLES else role


def detail(words: Words, code: str | None) -> str:
    """A named cause beside a health; empty where there is none."""
    if code in (None, "none", "not_asked"):
        return ""
    return words.tr(_DETAILS[code]) if code in _DETAILS else str(code)


def supplies(words: Words, given: tuple[tuple[str, str], ...]) -> str:
    """`Paper: enough` and so on."""
    named = ((_SUPPLIES.get(name, name), _AMOUNTS.get(amount, amount)) for name, amount in given)
    return words.tr(", ").join(f"{words.tr(name)}: {words.tr(amount)}" for name, amount in named)


def value(words: Words, text: str) -> str:
    """The value of a fact, which may be a code."""
    return words.tr(_VALUES[text]) if text in _VALUES else text
