"""A Chinese bank's own exports, made up row by row, and what an import of them must come to.

Three files as core systems and clerks leave them: a customer list in GB 18030 under a title, an
account list split by tabs behind a byte order mark, and a statement in UTF-8 with a total below.
"""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

SURNAMES = "王李张刘陈杨赵黄周吴𠮷㐂䶮欧"
GIVEN = ("伟", "芳", "娜", "秀英", "敏", "𬱖", "䲟", "𣲗轩", "建国", "若曦")
OCCUPATIONS = ("公务员", "教师", "企业职工", "个体经营者", "退休", "学生", "")
CREDITS, DEBITS = ("工资", "转账存入", "现金存入", "结息"), ("消费", "转账支取", "取现", "手续费")
CHANNELS = ("手机银行", "网上银行", "柜面", "ATM")
BIRTHDAYS = ("{:%Y%m%d}", "{0.year}/{0.month}/{0.day}", "{0.year}年{0.month}月{0.day}日")
NOTES = ("", "喜欢喝茶，\n周末来店", '自称"老客户"')
FIRST_DAY, DAYS = datetime(2026, 1, 1), 59  # noqa: DTZ001 - as a clock on a wall shows it

Row = dict[str, str]
Reject = tuple[str, int, str]
"""File, line and reason."""


@dataclass(frozen=True, slots=True)
class ChineseBank:
    """The rows of the three files, and what is true of them; customers by their number.

    `words` tells of each kind of booking how many there are and what they add up to.
    """

    people: list[Row] = field(default_factory=list[Row])
    accounts: list[Row] = field(default_factory=list[Row])
    moves: list[Row] = field(default_factory=list[Row])
    names: dict[str, str] = field(default_factory=dict[str, str])
    births: dict[str, date] = field(default_factory=dict[str, date])
    assets: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    words: dict[str, tuple[int, Decimal]] = field(default_factory=dict[str, tuple[int, Decimal]])

    def write(self, folder: Path) -> None:
        """Write the three files, each in its own encoding and layout."""
        title = "某某城市商业银行 客户信息表（2026年2月28日）\r\n"
        people = (title + _csv(self.people)).encode("gb18030", "surrogateescape")
        accounts = ("\ufeff" + _csv(self.accounts, delimiter="\t")).encode("gb18030")
        (folder / "客户信息表.csv").write_bytes(people)
        (folder / "存款账户.txt").write_bytes(accounts)
        (folder / "交易明细.csv").write_bytes(("\ufeff" + _csv(self.moves)).encode())


def chinese_bank(customers: int, seed: int) -> ChineseBank:
    """Make a bank up; every row of it is good."""
    random, bank = Random(seed), ChineseBank()
    for number in range(1, customers + 1):
        _add_customer(bank, random, f"{number:08d}")
    bank.moves.sort(key=lambda row: (row["交易日期"], row["交易时间"].zfill(8)))
    total = sum((Decimal(row["交易金额"].replace(",", "")) for row in bank.moves), Decimal(0))
    nothing = dict.fromkeys(bank.moves[0], "")
    bank.moves.append(nothing | {"流水号": "合计", "交易金额": f"{total:,}"})
    return bank


def spoil(bank: ChineseBank) -> list[Reject]:
    """Add rows that do not fit; returns where each stands and why the mapping sets it aside."""
    spare = {"客户号": "90000001", "备注": ""}
    move = {"流水号": "90", "冲正标志": "正常", "交易日期": "2026/02/30", "交易时间": "9:00:00"}
    today = {"交易日期": "2026/02/28"}
    short: Row = {"客户号": "90000002", "客户名称": "张三", "客户类别": "个人"}
    people: list[tuple[Row, str]] = [
        (spare | {"性别": "女性"}, "gender from 性别: not in the map: '女性'"),
        (
            spare | {"出生日期": "1990年2月30日"},
            "birth_date from 出生日期: no date: '1990年2月30日'",
        ),
        (spare | {"客户号": "00000001"}, "customer_id: given before: C00000001"),
        (spare | {"客户号": " "}, "customer_id from 客户号: missing"),
        (spare | {"客户名称": "王\udcff"}, "bytes that are not gb18030 in 客户名称"),
    ]
    accounts: list[tuple[Row, str]] = [
        ({"账号": "90", "储种": "理财"}, "category from 储种: not in the map: '理财'"),
    ]
    moves: list[tuple[Row, str]] = [
        (move | today | {"摘要": "红包"}, "type from 摘要: not in the map: '红包'"),
        (move | today | {"交易金额": "壹佰"}, "amount from 交易金额: no amount: '壹佰'"),
        (move | today | {"账号": "91"}, "customer_id from 户主: missing"),
        (move, "occurred_at from 交易日期, 交易时间: no time: '2026/02/30 9:00:00'"),
    ]
    rejects = [
        *_added("客户信息表.csv", bank.people, people, above=2),
        *_added("存款账户.txt", bank.accounts, accounts, above=1),
        *_added("交易明细.csv", bank.moves, moves, above=1),
        ("客户信息表.csv", _line_of(bank.people, len(bank.people), above=2), "3 fields, not 13"),
    ]
    bank.people.append(short)
    return rejects


def _added(
    file: str, rows: list[Row], changes: list[tuple[Row, str]], *, above: int
) -> list[Reject]:
    """Add the first row with each of the changes; `above` lines stand over that row."""
    first, good = len(rows), rows[0]
    rows.extend(good | change for change, _ in changes)
    return [
        (file, _line_of(rows, first + place, above=above), reason)
        for place, (_, reason) in enumerate(changes)
    ]


def _line_of(rows: list[Row], index: int, *, above: int) -> int:
    """The line on which a row begins; values may hold line breaks."""
    return above + 1 + sum(1 + "".join(row.values()).count("\n") for row in rows[:index])


def _csv(rows: list[Row], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([[*rows[0]], *([*row.values()] for row in rows)])
    return text.getvalue()


def _add_customer(bank: ChineseBank, random: Random, number: str) -> None:
    name = random.choice(SURNAMES) + random.choice(GIVEN)
    born = date(1950, 1, 1) + timedelta(days=random.randrange(19_000))
    bank.names[number], bank.births[number] = name, born
    bank.people.append(
        {
            "客户号": number if random.random() < 0.8 else _full_width(number),
            "客户名称": name,
            "客户类别": "个人",
            "性别": random.choice(["男", "女", "未说明"]),
            "出生日期": random.choice(BIRTHDAYS).format(born),
            "证件号码": f"000000{born:%Y%m%d}{number[-4:]}",
            "手机号码": _full_width(f"199{number}"),
            "职业": random.choice(OCCUPATIONS),
            "年收入（万元）": f"{random.randrange(30, 600) / 10}",
            "有无车辆": random.choice(["是", "否", ""]),
            "管户机构": f"{random.randrange(3):04d}",
            "客户经理": f"{random.randrange(9):03d}",
            "备注": random.choice(NOTES),
        }
    )
    _add_account(bank, number, "01", _add_moves(bank, random, number, f"6200{number}01"), {})
    if amount := Decimal(random.randrange(30)) * 10_000:
        kind = random.choice(["定期", "大额存单"])
        terms = {"储种": kind, "到期日期": "20270601", "年利率(%)": "1.75", "存期（月）": "24"}
        _add_account(bank, number, "02", amount, terms)


def _add_account(bank: ChineseBank, number: str, last: str, balance: Decimal, terms: Row) -> None:
    bank.assets[number] += balance
    bank.accounts.append(
        {
            "账号": f"6200{number}{last}",
            "客户号": number,
            "储种": "活期",
            "开户日期": "20250601",
            "到期日期": "99991231",
            "余额": f"{balance:,.2f}",
            "年利率(%)": "0.05",
            "存期（月）": "",
            "账户状态": "正常",
        }
        | terms
    )


def _add_moves(bank: ChineseBank, random: Random, number: str, account: str) -> Decimal:
    """The bookings of a demand account; returns what it ends with."""
    balance = Decimal(random.randrange(100_000, 5_000_000)) / 100
    minutes = sorted(random.sample(range(DAYS * 1440), k=random.randrange(5, 25)))
    for place, minute in enumerate(minutes):
        moment = FIRST_DAY + timedelta(minutes=minute)
        is_in = balance < 1_000 or random.random() < 0.4
        word = random.choice(CREDITS if is_in else DEBITS)
        amount = Decimal(random.randrange(1, 3_000_000 if is_in else int(balance * 50))) / 100
        is_cancelled = random.random() < 0.05
        if not is_cancelled:
            balance += amount if is_in else -amount
            rows, total = bank.words.get(word, (0, Decimal(0)))
            bank.words[word] = rows + 1, total + amount
        bank.moves.append(
            {
                "流水号": f"{number}{place:04d}",
                "账号": account,
                "交易日期": f"{moment:%Y/%m/%d}",
                "交易时间": f"{moment:%H:%M:%S}".removeprefix("0"),
                "借贷标志": "贷" if is_in else "借",
                "交易金额": f"{amount:,.2f}",
                "账户余额": f"{balance:,.2f}",
                "摘要": word,
                "渠道": random.choice(CHANNELS),
                "对方账号": "",
                "冲正标志": "冲正" if is_cancelled else "正常",
            }
        )
    return balance


def _full_width(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) for each in text)
