"""Invented Chinese names: a common surname and one or two given-name characters, drawn apart."""

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

SURNAMES = tuple(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
WOMEN = tuple(
    "英芳娜秀敏静丽艳娟霞玲桂兰红梅琳洁颖慧婷雪倩怡欣妍蕾薇露佳瑶诗涵梦琪雅萱悦彤可馨珊莹晴岚菲蓉黛青竹云荷月清若宁"
)
MEN = tuple(
    "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林栋梁志远泽轩昊天睿博文子涵承安景行思源嘉树修远言舟"
)
PLACES = tuple("东方南江北辰中远华兴金禾云川海岳明德瑞丰嘉和恒信锦程长青广源")
TRADES = {
    "manufacturing": "精密机械",
    "wholesale": "贸易",
    "retail": "商行",
    "catering": "餐饮管理",
    "construction": "建筑工程",
    "technology": "信息技术",
    "transport": "物流",
    "agriculture": "农业科技",
}


def people(is_woman: NDArray[np.bool_], rng: Generator) -> pl.Series:
    """One name a person; three in four have two given-name characters."""
    n = len(is_woman)
    surname = _pick(SURNAMES, n, rng)
    first = np.where(is_woman, _pick(WOMEN, n, rng), _pick(MEN, n, rng))
    second = np.where(is_woman, _pick(WOMEN, n, rng), _pick(MEN, n, rng))
    second = np.where(rng.random(n) < 0.75, second, "")
    return _join(surname, first, second)


def firms(industry: NDArray[np.str_], ending: str, rng: Generator) -> pl.Series:
    """One name a firm: two characters, its trade, and the form of firm."""
    n = len(industry)
    trade = np.array([TRADES[name] for name in industry.tolist()], dtype=np.str_)
    return _join(_pick(PLACES, n, rng), _pick(PLACES, n, rng), trade, np.full(n, ending))


def _pick(characters: tuple[str, ...], n: int, rng: Generator) -> NDArray[np.str_]:
    return np.array(characters)[rng.integers(0, len(characters), n)]


def _join(*parts: NDArray[np.str_]) -> pl.Series:
    joined = parts[0]
    for part in parts[1:]:
        joined = np.char.add(joined, part)
    return pl.Series(joined)
