"""What a cabinet has devices for: each role is filled by at most one device, bound to it by the terminal's profile."""

from enum import StrEnum


class Role(StrEnum):
    """One place in the cabinet. A driver says which roles its devices can fill."""

    ID_CARD_READER = "id_card_reader"
    SOCIAL_CARD_READER = "social_card_reader"  # social security card, by its chip
    BANK_CARD_READER = "bank_card_reader"
    TICKET_PRINTER = "ticket_printer"
    DOCUMENT_PRINTER = "document_printer"  # A4, certificates
    CODE_SCANNER = "code_scanner"
    CODE_CAMERA = "code_camera"
    DOCUMENT_CAMERA = "document_camera"
    FACE_CAMERA = "face_camera"
    KEYPAD = "keypad"
    GUIDE_LIGHTS = "guide_lights"
    PRESENCE_SENSOR = "presence_sensor"
    DOOR_SWITCH = "door_switch"
    TAMPER_SWITCH = "tamper_switch"
    UPS = "ups"
    SPEAKER = "speaker"
    EVALUATOR = "evaluator"
    WINDOW_DISPLAY = "window_display"
    CALLER = "caller"
