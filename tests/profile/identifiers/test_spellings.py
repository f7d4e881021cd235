"""Under which letters a name is looked for."""

from hypothesis import given
from hypothesis import strategies as st

from services.profile.identifiers.domain import phone_end, spellings, spelt
from services.profile.vocabulary import readings

NAMES = st.text(st.sampled_from("张伟单吕曾乐王小明Anna -·李"), max_size=8)


def test_each_character_sounds_as_it_usually_does_and_one_may_sound_otherwise() -> None:
    assert spellings("张伟", readings()) == [("zhangwei", "zw")]
    assert ("shanxiongxin", "sxx") in spellings("单雄信", readings())
    assert ("zenggongliang", "zgl") in spellings("曾公亮", readings())
    assert spellings("吕布", readings())[0] == ("lvbu", "lb")
    assert spellings("John 李", readings()) == [("johnli", "jl")]
    assert spellings(" ·", readings()) == []


@given(NAMES)
def test_spellings_are_letters_only_and_grow_with_the_name_not_faster(name: str) -> None:
    forms = spellings(name, readings())

    assert all(
        spelt(pinyin) == pinyin and pinyin.startswith(initials[:1]) for pinyin, initials in forms
    )
    assert len(forms) <= 1 + 4 * len(name)


def test_the_end_of_a_phone_is_its_last_four_digits() -> None:
    assert phone_end("+86 138-0013 8000") == "8000"
    assert phone_end("12") is None
