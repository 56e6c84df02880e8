"""Words for technicians, Chinese first: roles, verdicts, steps of self-tests, causes with what to do about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hardware.roles import Role
from hardware.self_test import Request
from hardware.vocabulary import Detail, Health, Verdict, WhoActs


@dataclass(frozen=True, slots=True)
class Words:
    """The same in Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} {self.en}".strip()


def _table(rows: Mapping[str, tuple[str, str]]) -> Mapping[str, Words]:
    return MappingProxyType({key: Words(*pair) for key, pair in rows.items()})


ROLES: Final = _table(
    {
        Role.ID_CARD_READER: ("身份证阅读器", "ID card reader"),
        Role.SOCIAL_CARD_READER: ("社保卡读卡器", "Social security card reader"),
        Role.BANK_CARD_READER: ("银行卡读卡器", "Bank card reader"),
        Role.TICKET_PRINTER: ("号票打印机", "Ticket printer"),
        Role.DOCUMENT_PRINTER: ("文书打印机", "Document printer"),
        Role.CODE_SCANNER: ("扫码器", "Code scanner"),
        Role.CODE_CAMERA: ("扫码摄像头", "Code camera"),
        Role.DOCUMENT_CAMERA: ("高拍仪", "Document camera"),
        Role.FACE_CAMERA: ("人脸摄像头", "Face camera"),
        Role.KEYPAD: ("键盘", "Keypad"),
        Role.GUIDE_LIGHTS: ("引导灯", "Guide lights"),
        Role.PRESENCE_SENSOR: ("人体感应器", "Presence sensor"),
        Role.DOOR_SWITCH: ("柜门开关", "Door switch"),
        Role.TAMPER_SWITCH: ("防拆开关", "Tamper switch"),
        Role.UPS: ("不间断电源", "UPS"),
        Role.SPEAKER: ("扬声器", "Speaker"),
        Role.EVALUATOR: ("评价器", "Evaluator"),
        Role.WINDOW_DISPLAY: ("窗口显示屏", "Window display"),
        Role.CALLER: ("呼叫器", "Caller"),
    }
)
VERDICTS: Final = _table(
    {
        Verdict.PASS: ("通过", "PASS"),
        Verdict.FAIL: ("不通过", "FAIL"),
        Verdict.UNKNOWN: ("未知", "UNKNOWN"),
        Verdict.NOT_SUPPORTED: ("不适用", "N/A"),
    }
)
HEALTHS: Final = _table(
    {
        Health.OK: ("正常", "ok"),
        Health.DEGRADED: ("需关注", "degraded"),
        Health.FAULT: ("故障", "fault"),
        Health.OFFLINE: ("离线", "offline"),
        Health.NOT_SUPPORTED: ("无此设备", "not supported"),
        Health.UNKNOWN: ("未知", "unknown"),
    }
)
WHO: Final = _table(
    {
        WhoActs.NOBODY: ("无需处理", "nobody"),
        WhoActs.CITIZEN: ("使用者", "citizen"),
        WhoActs.CLERK: ("大厅人员", "hall staff"),
        WhoActs.TECHNICIAN: ("技术员", "technician"),
    }
)
EVENTS: Final = _table(
    {
        "DeviceAppeared": ("已接入", "plugged in"),
        "DeviceGone": ("已拔出", "unplugged"),
        "CardInserted": ("卡已放入", "card inserted"),
        "CardRemoved": ("卡已取走", "card removed"),
        "CodeScanned": ("已扫码", "code scanned"),
        "CodeRefused": ("码不可用", "code refused"),
        "KeyPressed": ("有按键", "key pressed"),
        "CallerPressed": ("呼叫器按键", "caller key"),
        "PresenceChanged": ("人体感应", "presence"),
        "SwitchChanged": ("开关变化", "switch"),
        "PowerChanged": ("供电变化", "power"),
    }
)
"""By the event's class."""
REQUESTS: Final = _table(
    {
        Request.LAY_ID_CARD: ("请放置身份证", "lay an ID card on the reader"),
        Request.INSERT_CARD: ("请插入卡片", "insert a card"),
        Request.SHOW_CODE: ("请出示二维码或条码", "show a QR code or bar code"),
        Request.LAY_DOCUMENT: ("请放置一页文件", "lay a page under the camera"),
        Request.FACE_CAMERA: ("请正对摄像头", "look into the camera"),
        Request.PRESS_KEY: ("请按键", "press a key"),
        Request.TAKE_SLIP: ("请取走并核对小票", "take the slip and look at it"),
        Request.LISTEN: ("请听提示音", "listen for the tone"),
        Request.LOOK_AT_LIGHTS: ("请看引导灯", "look at the guide lights"),
        Request.LOOK_AT_DISPLAY: ("请看显示屏", "look at the display"),
        Request.STEP_BEFORE_SENSOR: ("请站到终端前", "step before the terminal"),
        Request.OPEN_DOOR: ("请开合柜门", "open and close the door"),
        Request.EVALUATE: ("请按评价键", "press an evaluation key"),
    }
)
ADVICE: Final = _table(
    {
        Detail.NONE: ("", ""),
        Detail.NOT_ASKED: ("尚未询问，稍候重试", "not asked yet: try again in a moment"),
        Detail.NO_ANSWER: ("设备无应答：查电源、线缆和波特率", "no answer: check power, cable and baud rate"),
        Detail.LINE_LOST: ("找不到设备：查线缆和地址", "not found: check the cable and the address in the profile"),
        Detail.LINE_STALLED: ("设备不收数据：断电重启", "takes no data: switch it off and on"),
        Detail.CANCELLED: ("测试已取消", "the test was cancelled"),
        Detail.DEADLINE_PASSED: ("超时：重试一次", "took too long: try again"),
        Detail.CLOSED: ("设备已关闭", "the device was closed"),
        Detail.DRIVER_ERROR: ("驱动出错：把日志交给开发者", "defect in the driver: send the log to its makers"),
        Detail.PAPER_LOW: ("纸将用完：备好新纸", "paper runs low: have a new roll ready"),
        Detail.PAPER_OUT: ("缺纸：请装纸", "out of paper: load paper"),
        Detail.COVER_OPEN: ("盖未合上：请合盖", "cover open: close it"),
        Detail.CUTTER_ERROR: ("切刀卡住：清理切刀", "knife jammed: clear it"),
        Detail.HEAD_TOO_HOT: ("打印头过热：等待冷却", "print head too hot: wait until it has cooled"),
        Detail.PRINTER_ERROR: ("打印机报错：断电重启，仍有则送修", "printer error: off and on, then have it repaired"),
        Detail.PRINTER_OFFLINE: ("打印机脱机：按联机键", "printer offline: press its on-line key"),
        Detail.BAD_DOCUMENT: ("内容无法打印：查机型设置", "cannot be printed: check the model in the profile"),
        Detail.SLIP_NOT_TAKEN: ("小票未取走", "the slip was not taken"),
        Detail.JOB_REPEATED: ("重复的打印任务未再打印", "a repeated job was not printed again"),
        Detail.JOB_NOT_KEPT: ("打印任务无法保存：查磁盘", "the job could not be kept: check the disk"),
        Detail.INTERRUPTED: ("打印中断：看是否已出纸", "interrupted: look whether paper came out"),
        Detail.SEEN_BY_STAFF: ("已由人员核实", "settled by staff"),
        Detail.PAPER_JAM: ("卡纸：取出卡住的纸", "paper jam: take the paper out"),
        Detail.TONER_LOW: ("墨粉将尽：备好墨盒", "toner runs low: have a cartridge ready"),
        Detail.TONER_OUT: ("墨粉用尽：更换墨盒", "toner is out: change the cartridge"),
        Detail.PRINTER_STOPPED: ("打印队列已停：恢复队列", "the print queue is stopped: resume it"),
        Detail.JOB_STUCK: ("打印任务卡住：看打印机面板", "the job is stuck: look at the printer's panel"),
        Detail.JOB_LOST: ("打印任务丢失：看是否已出纸", "the job is lost: look whether paper came out"),
        Detail.PAGES_MISSING: ("页数不足：核对已打印的页", "pages are missing: count the pages"),
        Detail.ASLEEP: ("打印机休眠：会自行唤醒", "asleep: it wakes by itself"),
        Detail.NO_CARD: ("未见卡片：请放卡再试", "no card was seen: lay one and try again"),
        Detail.READ_FAILED: ("读卡失败：换一张卡再试", "reading failed: try another card"),
        Detail.SEVERAL_CARDS: ("有多张卡：只放一张", "several cards: lay one only"),
        Detail.CARD_NOT_LIFTED: ("卡未移开：拿起后重放", "the card was not lifted: lift it and lay it again"),
        Detail.WRONG_CARD: ("不是这种卡：换正确的卡", "another kind of card: take the right one"),
        Detail.SELF_TEST_FAILED: ("设备自检失败：送修", "the device's own test failed: have it repaired"),
        Detail.SAM_NOT_AUTHORISED: ("安全模块未授权：联系厂商", "security module not authorised: call its maker"),
        Detail.CARD_HELD: ("卡片被其他程序占用：结束该程序", "another program holds the card: end that program"),
        Detail.CARD_SERVICE_LOST: ("读卡服务已停：查 pcscd", "the card service is gone: check pcscd"),
        Detail.UNKNOWN_ANSWER: ("应答无法识别：查型号和驱动", "answer not understood: check model and driver"),
        Detail.CANNOT_BE_ASKED: ("此型号不能询问状态", "this model cannot be asked how it is"),
        Detail.NO_CODE: ("未扫到码：出示码再试", "no code was seen: show one and try again"),
        Detail.BAD_CODE: ("扫到的码不合规则", "the code does not fit the rules"),
        Detail.NO_FRAMES: ("没有画面：查线缆和占用", "no picture: check the cable and who else uses the camera"),
        Detail.FROZEN_PICTURE: ("画面不动：拔插摄像头", "the picture is frozen: unplug the camera and plug it in"),
        Detail.TOO_DARK: ("画面太暗：加光或擦镜头", "too dark: more light, or clean the lens"),
        Detail.TOO_BRIGHT: ("画面太亮：避开强光", "too bright: keep strong light away"),
        Detail.BLURRED: ("画面模糊：擦镜头并放稳", "blurred: clean the lens and keep still"),
        Detail.GLARE: ("反光：转动文件或遮光", "glare: turn the page or shade the light"),
        Detail.NO_PAGE: ("未见页面：放正文件", "no page was found: lay it flat under the camera"),
        Detail.PAGE_CUT_OFF: ("页面不全：移到中间", "the page is cut off: move it to the middle"),
        Detail.PAGE_TOO_SMALL: ("页面太小：靠近一些", "the page is too small: bring it nearer"),
        Detail.NO_FACE: ("未见人脸：正对摄像头", "no face was seen: look into the camera"),
        Detail.SEVERAL_FACES: ("有多张脸：只留一人", "several faces: one person only"),
        Detail.FACE_TOO_SMALL: ("人脸太小：站近一些", "the face is too small: come nearer"),
        Detail.FACE_TURNED: ("人脸侧转：正对摄像头", "the face is turned: look straight ahead"),
        Detail.NOT_THE_SAME_FACE: ("人证不符：请人工核验", "not the same face: have it checked by a person"),
        Detail.BAD_CARD_PHOTO: ("证件照不能使用：请人工核验", "the card's photo cannot be used: check by a person"),
        Detail.NO_CONSENT: ("未同意人脸核验：改用其他方式", "no consent: prove identity another way"),
        Detail.CHALLENGE_NOT_MET: ("动作未完成：按提示再做一次", "the movement was not made: follow the prompt again"),
        Detail.NOBODY_SEEN: ("未感应到人：调整角度或距离", "nobody was seen: turn the sensor or its distance"),
        Detail.KEY_STUCK: ("按键卡住：清理或更换键盘", "a key is stuck: clean the keypad or change it"),
        Detail.NO_KEY: ("未收到按键：按键再试", "no key was pressed: press one and try again"),
        Detail.MODULE_REFUSED: (
            "模块拒绝：查配置中的站号和点位",
            "the module refused: check station and point in the profile",
        ),
        Detail.OUTPUT_STUCK: ("输出不动作：查继电器和接线", "an output does not switch: check relay and wiring"),
        Detail.ON_BATTERY: ("市电中断，由电池供电", "mains failed: running on the battery"),
        Detail.BATTERY_LOW: ("电池将尽：请有序关机", "battery low: shut the terminal down in order"),
        Detail.BATTERY_WORN: ("电池老化：更换电池", "battery worn: change it"),
        Detail.UPS_OVERLOADED: ("不间断电源过载：减少负载", "UPS overloaded: take something off it"),
        Detail.UPS_BYPASSED: ("不间断电源旁路：断电即停机", "UPS bypassed: a power failure stops the terminal"),
        Detail.UPS_OFF: ("不间断电源输出已关：打开电源", "UPS output is off: switch it on"),
        Detail.UPS_LOST: ("服务连不上不间断电源：查数据线", "upsd has lost the UPS: check its cable"),
        Detail.NO_SUCH_UPS: ("服务中无此电源：查配置名称", "upsd knows no such UPS: check the name in the profile"),
        Detail.NO_SOUND_CARD: ("本机无声卡或未装 alsa-utils", "no sound card, or alsa-utils is not installed"),
        Detail.SOUND_REFUSED: ("声卡不能播放：查占用和设置", "the sound card refused: check who else uses it"),
        Detail.BAD_SOUND: ("声音文件不可用：换 16 位 WAV", "the sound cannot be played: take a 16-bit WAV"),
        Detail.BAD_TEXT: ("此屏不能显示该内容：查配置", "this display cannot show it: check the profile"),
        Detail.COUNTER_SILENT: ("有窗口的呼叫器无应答：查接线", "a counter's caller does not answer: check its wires"),
        Detail.DOOR_NOT_MOVED: ("未见柜门开合：查开关和接线", "the door was not seen to move: check switch and wiring"),
    }
)
STEPS: Final = _table(
    {
        "connection": ("连接", "connection"),
        "status": ("状态", "status"),
        "security_module": ("安全模块", "security module"),
        "card_read": ("读卡", "card read"),
        "slip_with_fence": ("打印并确认出票", "slip with proof"),
        "reading": ("测距", "reading"),
        "somebody_seen": ("感应到人", "somebody seen"),
        "key_pressed": ("按键", "key pressed"),
        "lights": ("逐个亮灯", "each light"),
        "battery": ("电池", "battery"),
        "tone": ("提示音", "tone"),
        "display": ("屏显", "display"),
        "evaluated": ("评价按键", "evaluation key"),
        "door_moved": ("柜门开合", "door opened and closed"),
        "code_read": ("扫码", "code read"),
        "page": ("打印一页", "page"),
        "moving_picture": ("画面流动", "moving picture"),
        "page_found": ("找到页面", "page found"),
        "face_models": ("人脸模型", "face models"),
        "face_found": ("找到人脸", "face found"),
    }
)


def role_words(role: Role) -> Words:
    return ROLES[role]


def step_words(name: str) -> Words:
    """Words for a step; a name without any is shown as it is."""
    return STEPS.get(name) or Words(name.replace("_", " "), "")


def advice(detail: Detail) -> Words:
    """What is the matter and what to do; a cause without words is named by its code."""
    return ADVICE.get(detail) or Words(detail.value.replace("_", " "), "")
