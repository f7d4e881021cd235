"""A Chinese bank's own exports by the mapping of examples/gb18030: what comes in, what is told."""

from pathlib import Path

import pytest

from bihuan.importer.mapping import MappingRefused, load_mapping
from bihuan.importer.run import ImportReport, check_import
from bihuan.importer.sources import Sources
from bihuan.importer.translate import Translation, translate
from shared.paths import ROOT
from tests.bihuan.importer.chinese_bank import ChineseBank, chinese_bank, spoil

MAPPING = ROOT / "examples" / "gb18030" / "mapping.yaml"


@pytest.fixture
def bank(tmp_path: Path) -> ChineseBank:
    made = chinese_bank(customers=40, seed=11)
    made.write(tmp_path)
    return made


def _translated(folder: Path) -> Translation:
    mapping = load_mapping(MAPPING)
    return translate(mapping, Sources(mapping, folder))


def _checked(folder: Path, mapping: Path = MAPPING) -> ImportReport:
    rejects = folder / "rejects.csv"
    return check_import(mapping, folder, report=rejects, progress=lambda _step, _done, _total: None)


def _mended(folder: Path, old: str, new: str) -> Path:
    text = MAPPING.read_text()
    assert old in text
    path = folder / "mapping.yaml"
    path.write_text(text.replace(old, new))
    return path


def test_every_good_row_comes_in(bank: ChineseBank, tmp_path: Path) -> None:
    done = _translated(tmp_path)
    heights = {kind: frame.height for kind, frame in done.frames.items()}
    events = sum(rows for rows, _ in bank.words.values())

    assert done.rejects.is_empty()
    assert heights == {
        "customers": 40,
        "accounts": len(bank.accounts),
        "holdings": len(bank.accounts),
        "events": events,
    }
    assert done.skipped == len(bank.moves) - events, "the total and what was booked by mistake"


def test_names_dates_and_amounts_are_what_they_were(bank: ChineseBank, tmp_path: Path) -> None:
    done = _translated(tmp_path)
    customers, holdings = done.frames["customers"], done.frames["holdings"]

    assert {f"C{n}": name for n, name in bank.names.items()} == dict(
        customers["customer_id", "name"].iter_rows()
    )
    assert {f"C{n}": born for n, born in bank.births.items()} == dict(
        customers["customer_id", "birth_date"].iter_rows()
    )
    assert holdings["balance"].sum() == sum(bank.assets.values()) * 100
    assert {t.word: (t.rows, t.amount) for t in done.totals} == bank.words


def test_the_ledger_agrees_day_by_day(bank: ChineseBank, tmp_path: Path) -> None:
    assert bank.moves
    (ledger,) = _translated(tmp_path).ledgers

    assert ledger.within == {"0.01": ledger.account_days}


def test_each_row_that_does_not_fit_is_told_with_file_line_column_and_value(tmp_path: Path) -> None:
    bank = chinese_bank(customers=5, seed=3)
    expected = spoil(bank)
    bank.write(tmp_path)
    report = _checked(tmp_path)
    told = (tmp_path / "rejects.csv").read_text().splitlines()[1:]

    assert sorted(told) == sorted(_as_csv(*reject) for reject in expected)
    assert report.rejected == len(expected)
    assert {reason for reason, _ in report.reasons} < {reason for _, _, reason in expected}


def _as_csv(file: str, line: int, reason: str) -> str:
    return f"{file},{line}," + (f'"{reason}"' if "," in reason else reason)


@pytest.mark.usefixtures("bank")
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("people: {path: 客户信息表.csv, encoding: gb18030", "people: {path: 客户信息表.csv",
         "客户信息表.csv: the header holds bytes that are not utf-8"),
        ("bookings: {path: 交易明细.csv}", "bookings: {path: 交易明细.csv, encoding: gb18030}",
         "交易明细.csv has "),
        ('delimiter: "\\t"', 'delimiter: ";"', "存款账户.txt has no column 账号"),
        ("{客户名称}", "{姓名}", "customers[0].fields.name: 客户信息表.csv has no column 姓名"),
        ("bookings: {path: 交易明细.csv}", "bookings: {path: 交易流水.csv}", "交易流水.csv"),
    ],
)  # fmt: skip
def test_files_that_are_not_what_the_mapping_says_are_refused_with_the_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(MappingRefused) as refused:
        _checked(tmp_path, _mended(tmp_path, old, new))

    assert told in str(refused.value)
