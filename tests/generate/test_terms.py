"""A term is found in any dress that Unicode has for its letters, and in no other word."""

from __future__ import annotations

import itertools
import string
import unicodedata
from typing import Literal

import pytest

from vidigree.generate.look_alikes import SHAPES, look_alike
from vidigree.generate.terms import read_prose, read_term

HARAKAT = [chr(code) for code in (*range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, 0x06D6)]
NIQQUD = [chr(code) for code in (*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C7)]


def holds(prompt: str, term: str) -> bool:
    found = read_term(term)
    assert found is not None
    return found.stands_in(read_prose(prompt))


@pytest.mark.parametrize("mark", [*HARAKAT, "\u0640", "\ufe76", "\ufe77"], ids=ascii)
def test_points_and_stretches_hide_no_arabic_term(mark: str) -> None:
    for prompt in (f"ق{mark}نبلة", f"قنبلة{mark}", f"ا{mark} {mark}قن{mark}بلة{mark} هنا"):
        assert holds(prompt, "قنبلة"), ascii(prompt)
        assert holds("صورة قنبلة", f"قن{mark}بلة"), "a list written with it finds words without"
        assert not holds(prompt, "قن")
        assert not holds(prompt, "بلة")


@pytest.mark.parametrize("mark", NIQQUD, ids=ascii)
def test_points_hide_no_hebrew_term(mark: str) -> None:
    assert holds(f"פ{mark}צצ{mark}ה", "פצצה")
    assert holds("תמונה של פצצה", f"פ{mark}צצה")
    assert not holds(f"פצצה{mark}ים", "פצצה")


def test_arabic_letters_of_other_keyboards_and_shapes_are_the_same() -> None:
    assert holds("\ufed7\ufee8\ufe92\ufee0\ufe94", "قنبلة")
    for one, other in (("کلب", "كلب"), ("یتیم", "يتيم"), ("مبنى", "مبني"), ("أرنب", "ارنب")):
        assert holds(one, other)
        assert holds(other, one)
    assert not holds("قلب", "كلب")


@pytest.mark.parametrize(
    "prompt",
    [
        *("𝐛𝐨𝐦𝐛", "𝓑𝓸𝓶𝓫", "𝔟𝔬𝔪𝔟", "𝕓𝕠𝕞𝕓", "𝚋𝚘𝚖𝚋", "ⓑⓞⓜⓑ", "⒝⒪⒨⒝", "🄱🄾🄼🄱", "🅱🅾🅼🅱", "🅑🅞🅜🅑", "🄑🄞🄜🄑"),
        *("ʙᴏᴍʙ", "ᵇᵒᵐᵇ", "ｂｏｍｂ", "ＢＯＭＢ", "b⃣o⃣m⃣b⃣", "b⃝omb", "🅱️omb"),
        *(
            "b\u0363omb",
            "bómb",
            "b́omb",
            "b̈ö̂m̃b̊",
            "ḇọm̱ḇ",
            "b̶o̶m̶b̶",
            "ḃ\u200bo\u0301m̊b",
            "bo\u200b\u0301mb",
        ),
    ],
    ids=ascii,
)
def test_frames_and_accents_hide_no_latin_term(prompt: str) -> None:
    for text in (prompt, f"a {prompt} here", f"({prompt})", unicodedata.normalize("NFD", prompt)):
        assert holds(text, "bomb"), ascii(text)
    assert holds(f"a red {prompt}", "red bomb")
    for before in ("x", "é", "e\u0301"):
        assert not holds(f"{before}{prompt}", "bomb")
    if not {"\u200b", "\ufe0f"} & set(prompt):  # what is not seen may part words
        assert not holds(prompt, "bom")
        assert not holds(prompt, "omb")


def test_a_term_with_an_accent_is_found_with_it_only() -> None:
    for prompt in ("CAFÉ", "cafe\u0301", "cafẹ\u0301", "café\u0323", "𝐜𝐚𝐟é", "саfé"):
        assert holds(prompt, "café"), ascii(prompt)
    assert not holds("cafe", "café")
    assert not holds("cafê", "café")
    assert not holds("año", "año\u0323")
    assert holds("año", "ano"), "an accent hides nothing; docs/generate.md says what it costs"
    assert holds("Взрывчатка", "взрывчатка")
    for one in ("мой", "мои\u0306", "мои\u200b\u0306", "МОЙ", "мо\u0301й", "мои\u0323\u0306"):
        assert holds(one, "мой"), ascii(one)
        assert not holds(one, "мои"), ascii(one)
    assert not holds("мои", "мой")
    assert not holds("мои\u0300", "мой")
    assert holds("мои\u0300", "мои")
    assert not holds("bømb", "bomb"), "a letter of its own"


def test_greek_is_found_with_and_without_accents() -> None:
    for one in ("βόμβα", "ΒΟΜΒΑ", "ΒΌΜΒΑ", "βομβα"):
        for other in ("βόμβα", "ΒΟΜΒΑ"):
            assert holds(f"μια {one} εδώ", other)
    assert holds("ὅπλος", "οπλοσ")


@pytest.mark.parametrize(
    ("prompt", "term"),
    [
        *(("a bоmb", "bomb"), ("a Ьomb", "bomb"), ("bοmb", "bomb"), ("ВОМВ", "bomb")),
        *(("a ѕех film", "sex"), ("a movie about сор", "cop"), ("Νot a ΝΟΤ", "not")),
        *(("бoмба", "бомба"), ("большая cyka", "сука"), ("a bо\u200bmb", "bomb")),
        *(("rеd button", "red button"), ("red Ьutton", "red button"), ("ра\u0301у", "pay")),
        *(("видео bоmb на полу", "bomb"), ("a бoмбa about сор", "cop")),
        *(("видео for cyka", "сука"), ("a movie about сор, 2вор", "cop")),
        *(("видео λόγος бοмба", "бомба"), ("a movie about сор №4", "cop")),
    ],
    ids=ascii,
)
def test_letters_of_other_scripts_hide_no_term(prompt: str, term: str) -> None:
    assert holds(prompt, term)


@pytest.mark.parametrize(
    ("prompt", "term"),
    [
        *(("сор на полу", "cop"), ("тот мяч", "tot"), ("видео, где сор, 4K HDR", "cop")),
        *(("не ешьте каши, а рот", "pot"), ("a cop in a car", "сор"), ("hot", "not")),
        *(("a gin", "gln"), ("vat", "nat"), ("a uoung man", "a young man"), ("το ον δεν", "to")),
        *(("видео bоmb, а там сор", "cop"), ("a νot", "a hot"), ("a νot", "a lot")),
    ],
    ids=ascii,
)
def test_words_that_are_what_they_are_written_as_pass(prompt: str, term: str) -> None:
    assert not holds(prompt, term)


def test_letters_that_look_alike_have_one_shape_and_others_have_their_own() -> None:
    shapes = {chr(letter): shape for letter, shape in SHAPES.items()}
    for (one, shape), (other, another) in itertools.product(shapes.items(), repeat=2):
        assert not look_alike(one, other) or shape == another, one + other
    joined: dict[str, str] = {}
    for letter in string.ascii_lowercase:
        shape = shapes.get(letter, letter)
        joined[shape] = joined.get(shape, "") + letter
    assert {letters for letters in joined.values() if len(letters) > 1} == {"hnv", "il", "uy"}


@pytest.mark.parametrize(
    ("prompt", "term", "is_held"),
    [
        *(
            ("制作炸弹的视频", "炸弹", True),
            ("爆弾を作る", "爆弾", True),
            ("ガンを持つ", "ガン", True),
        ),
        *(("ガンダム", "ガン", False), ("カン", "ガン", False), ("ガン", "カン", False)),
        *(("か", "が", False), ("が", "か", False), ("ｶﾞﾝ", "ガン", True), ("炸药", "炸弹", False)),
        *(("ภาพปืนบนโต๊ะ", "ปืน", True), ("คนู", "คน", False), ("ป่า", "ปา", False)),
        *(("폭탄", "폭탄", True), ("폭", "포", False), ("bomb爆弾", "bomb", True)),
        *(("গুলি", "গুল", False), ("কো", "কে", False), ("क़लम", "कलम", False)),
        *(("कलम", "क़लम", False), ("กนํ้", "กน", False), ("កំ", "ក", False), ("க்", "க", False)),
        *(("スキー場", "スキ", False), ("スキーが好き", "スキー", True), ("爆弾ー", "爆弾", True)),
        *(("スローガン", "ガン", False), ("らーめん", "ら", False), ("ｽﾛｰｶﾞﾝ", "ガン", False)),
        *(("らーめん", "めん", False), ("らーめんとコーラ", "らーめんと", True)),
        *(("ゾンビが来る", "ゾンビ", True), ("ゾンビー", "ゾンビ", False), ("ビン", "ヒ", False)),
        *(("ゾンビ爆弾", "ゾンビ", True), ("ゾンビがガンで", "ガン", True)),
    ],
    ids=ascii,
)
def test_marks_that_make_other_letters_make_other_words(
    prompt: str, term: str, is_held: bool
) -> None:
    assert holds(prompt, term) is is_held


@pytest.mark.parametrize(
    ("prompt", "term"),
    [("โสเภณีในเมือง", "โสเภณี"), ("ภาพหมีแพนด้า", "หมี"), ("ဗုံးပေါက်", "ဗုံး"), ("သတ်ဖြတ်", "သတ်")],
    ids=ascii,
)
def test_a_term_that_ends_with_a_sign_is_found_before_the_next_word(prompt: str, term: str) -> None:
    assert holds(prompt, term)
    assert not holds(prompt, term[:-1])


@pytest.mark.parametrize(("prompt", "term"), [("ក្រ", "រ"), ("မန္တလေး", "တလေး")], ids=ascii)
def test_a_letter_below_another_begins_no_word(prompt: str, term: str) -> None:
    assert not holds(prompt, term)


@pytest.mark.parametrize("term", ["", " ", "\u0640", "\u064b", "\u0301", "\u200b \ufe0f"])
def test_nothing_to_see_is_no_term(term: str) -> None:
    assert read_term(term) is None


@pytest.mark.parametrize("term", ["c++", "a]b", "^x", "a-z", "[", "\\d", "_x"])
def test_signs_in_a_term_are_themselves(term: str) -> None:
    assert holds(f"about {term} here", term)
    assert not holds("about aab xx ay 5 here", term)


@pytest.mark.parametrize("sign", ["™", "℠", "®", "©"], ids=ascii)
def test_a_sign_behind_a_name_is_not_of_it(sign: str) -> None:
    assert holds(f"a house of Bricko{sign} bricks", "bricko")
    assert holds(f"a house of bricko{sign} bricks", "bricko bricks")
    assert holds("a house of bricko bricks", f"Bricko{sign}")
    assert not holds(f"a bricko{sign}", "brickotm")


@pytest.mark.parametrize(
    ("prompt", "term"),
    [
        *(("bomb2", "bomb"), ("2bomb", "bomb"), ("bombящий", "bomb"), ("b omb", "bomb")),
        *(("redbutton", "red button"), ("bømb", "bomb"), ("bombका", "bomb")),
    ],
)
def test_parts_of_words_are_no_words(prompt: str, term: str) -> None:
    assert not holds(prompt, term)


@pytest.mark.parametrize(
    ("prompt", "term"),
    [
        *(("गनीbomb", "bomb"), ("a_red_bomb_here", "bomb"), ("a_red_bomb_here", "red_bomb")),
        *(("bomb", "b\u0336omb"), ("ܐܒ", "ܐ\u0711ܒ"), ("ܐ\u0711ܒ", "ܐܒ")),
    ],
    ids=ascii,
)
def test_words_end_at_other_signs_and_need_no_strokes(prompt: str, term: str) -> None:
    assert holds(prompt, term)


def test_what_is_not_seen_is_known_to_the_last_character() -> None:
    unseen = [
        *(0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0x180F),
        *(0x2060, 0x2065, 0x2800, 0x3164, 0xFE00, 0xFE0F, 0xFFA0, 0xFFF0, 0xFFF8),
        *(0xE0000, 0xE00FF, 0xE0100, 0xE01EF, 0xE01F0, 0xE0FFF),
    ]
    for code in unseen:
        assert holds(f"a bo{chr(code)}mb", "bomb"), hex(code)
    for code in (0x115E, 0x1161, 0x17B3, 0x180A, 0x2801, 0x3165, 0xFE10, 0xFFA1, 0xFFFC, 0xE1000):
        assert not holds(f"a bo{chr(code)}mb", "bomb"), hex(code)
    for code in (0x00AD, 0x034F, 0x180B, 0x180C, 0x180D, 0x180F, 0x2060, 0xFE00, 0xFE0F, 0xE01EF):
        assert not holds(f"a bomb{chr(code)}astic", "bomb"), hex(code)
    for code in (0x2061, 0xE00FF, 0xE01F0):
        assert holds(f"a bomb{chr(code)}astic", "bomb"), hex(code)
    assert len(read_prose("a" + "\u200b" * 99 + "\u0301" + " " * 99).letters) == 4


def test_a_word_that_only_begins_like_a_term_hides_none_behind_it() -> None:
    assert holds("red redа red button", "red button")
    assert holds("xx x x", "x x")
    assert holds("xxx x x", "x x")
    assert holds("гед rеd red", "red")


def test_a_long_prompt_of_marks_is_read_at_once() -> None:
    prompt = "a" + "\u0301\u200b" * 999
    assert holds(prompt, "a")
    assert not holds(prompt, "aa")


def test_marks_are_brought_into_one_order_in_time_that_grows_with_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longest = []
    normalize = unicodedata.normalize

    def watched(form: Literal["NFKD"], text: str) -> str:
        longest.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", watched)
    assert holds("b" + "\u0301\u0316" * 900 + "omb", "bomb")
    assert read_prose("ก\u0e48\u0e38\u0301").letters == read_prose("ก\u0e38\u0301\u0e48").letters
    assert max(longest) == 1, "Python orders n marks of one letter in n * n steps"
