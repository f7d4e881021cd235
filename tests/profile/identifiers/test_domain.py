import pytest

from services.profile.identifiers.domain import masked, normalised
from services.profile.identifiers.service import KeyMissing, KeyRing

OLD, NEW = "old:" + "a" * 32, "new:" + "b" * 32


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("name", "张三丰", "张**"),
        ("phone", "13800138000", "138****8000"),
        ("national_id", "11010519491231002X", "110***********002X"),
        ("email", "anna@bank.cn", "a***@bank.cn"),
        ("wechat_openid", "o6_bmj", "o6**mj"),
        ("phone", "110", "***"),
    ],
)
def test_identifiers_are_masked(kind: str, value: str, shown: str) -> None:
    assert masked(kind, value) == shown


def test_spellings_of_one_identifier_are_alike() -> None:
    assert normalised("phone", "+86 138-0013 8000") == normalised("phone", "13800138000")
    assert normalised("national_id", "11010519491231002x") == "11010519491231002X"


def test_a_rotated_key_still_opens_and_finds_what_the_old_one_sealed() -> None:
    before, after = KeyRing.parse(OLD), KeyRing.parse(f"{OLD},{NEW}")
    sealed = before.seal("c1", "phone", "13800138000")

    assert after.open("c1", "phone", sealed.body) == "13800138000"
    assert after.digest("phone", "138 0013 8000") == sealed.digest
    with pytest.raises(KeyMissing):
        before.open("c1", "phone", after.seal("c1", "phone", "1").body)


def test_a_sealed_value_moved_to_another_customer_does_not_open() -> None:
    ring = KeyRing.parse(NEW)

    with pytest.raises(KeyMissing):
        ring.open("c2", "phone", ring.seal("c1", "phone", "13800138000").body)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 32"):
        KeyRing.parse("one:short")


def test_the_index_may_have_a_secret_of_its_own_so_that_the_first_key_can_go() -> None:
    secret = OLD.partition(":")[2]
    before = KeyRing.parse(f"{OLD},{NEW}")
    after = KeyRing.parse(f"index:{secret},{NEW}")
    sealed = before.seal("c1", "phone", "13800138000")

    assert after.open("c1", "phone", sealed.body) == "13800138000"
    assert after.digest("phone", "13800138000") == sealed.digest
    assert after.seal("c1", "phone", "1").body.startswith(after.mark)
    assert after.mark == before.mark


def test_what_an_older_key_sealed_is_sealed_anew_with_the_same_index() -> None:
    before, both = KeyRing.parse(OLD), KeyRing.parse(f"{OLD},{NEW}")
    sealed = before.seal("c1", "phone", "13800138000")

    anew = both.seal_anew("c1", sealed)

    assert both.open("c1", "phone", anew.body) == "13800138000"
    assert anew.body.startswith(both.mark)
    assert not sealed.body.startswith(both.mark)
    assert anew.digest == sealed.digest
