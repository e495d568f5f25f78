"""What things are called in a made-up district: people of many cultures, schools and what they teach, streets, towns.

A name that e-mail addresses cannot spell carries its Latin spelling behind an equals sign.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


class Culture(NamedTuple):
    """Names that go together: how often they are drawn, and whether family names of other cultures go with them."""

    share: float
    women: str
    men: str
    family: str
    mixes: bool = True


CULTURES: tuple[Culture, ...] = (
    Culture(
        26,
        "Emma, Olivia, Charlotte, Abigail, Grace, Hannah, Lily, Mary-Kate, Zoe, Madison, Harper, Ruth",
        "Liam, Noah, Mason, Ethan, Henry, Jack, Owen, Caleb, John-Paul, Samuel, Wyatt, Theodore",
        "Smith, Johnson, Miller, Brown, Davis, Wilson, Anderson, Taylor, Carter-Hughes, Bennett, Walker, Fletcher",
    ),
    Culture(
        17,
        "María, Sofía, Valentina, Camila, Ximena, Lucía, Inés, María José, Guadalupe",
        "Mateo, Santiago, José, Diego, Ángel, Sebastián, Joaquín, Luis Ángel, Andrés",
        "García, Hernández, Martínez, López, Núñez, Peña, Ramírez, Gutiérrez, de la Cruz, Ibáñez, Castañeda",
    ),
    Culture(
        9,
        "Aaliyah, Imani, Nia, Zaria, Ja'Nae, Destiny",
        "Malik, Jaylen, D'Andre, Marcus, Isaiah, DeShawn",
        "Washington, Jefferson, Banks, Booker, Freeman, Gaines, Hairston",
    ),
    Culture(
        5,
        "Siobhán, Aoife, Niamh, Róisín",
        "Seán, Cillian, Pádraig, Oisín",
        "O'Brien, Ó Súilleabháin, McCarthy, O'Neill",
    ),
    Culture(
        5, "Annika, Käthe, Liesl", "Jürgen, Lukas, Günther", "Müller, Schröder, Weiß=weiss, Krüger, von Braun-Vogel"
    ),
    Culture(
        6,
        "Åsa, Ingrid, Sólveig, Maj-Britt",
        "Søren=soren, Björn, Håkon, Lars",
        "Sørensen=sorensen, Lindström, Ødegaard=odegaard, Åkesson, Bjørnstad=bjornstad, Nygård",
    ),
    Culture(
        1,
        "Guðrún=gudrun, Þóra=thora, Sigríður=sigridur",
        "Ólafur, Þorsteinn=thorsteinn, Jökull",
        "Jónsdóttir, Þórsson=thorsson, Guðmundsson=gudmundsson",
    ),
    Culture(3, "Éloïse, Chloé, Anne-Sophie", "François, Gaël, Jean-Luc", "Lefèvre, D'Aubigné, Côté, Beauséjour"),
    Culture(2, "Conceição, Ângela, Inácia", "João, Antônio, Simão", "Gonçalves, Magalhães, Assunção, Simões"),
    Culture(
        3,
        "Małgorzata=malgorzata, Zofia, Agnieszka",
        "Łukasz=lukasz, Stanisław=stanislaw, Michał=michal",
        "Wiśniewska, Kowalczyk, Dąbrowski, Wójcik, Żukowska",
    ),
    Culture(1, "Božena, Ľudmila", "Jiří, Vojtěch", "Dvořák, Šťastná, Černý"),
    Culture(1, "Željka, Đurđica=djurdjica", "Dušan, Vučko", "Petrović, Đorđević=djordjevic, Hadžić"),
    Culture(1, "Zsófia, Erzsébet", "Gergő, Árpád", "Szabó, Erdős, Kővári"),
    Culture(1, "Ștefania, Ilinca", "Mihăiță, Răzvan", "Țurcanu, Ionescu, Bălan"),
    Culture(1, "Ayşe, Işıl=isil, Çiğdem", "Mehmet, Çağrı=cagri, Ümit", "Yılmaz=yilmaz, Öztürk, Şahin"),
    Culture(2, "Chiara, Maria Nicolò", "Niccolò, Giosuè", "D'Angelo, Rossi, Dell’Acqua"),
    Culture(
        4,
        "Thị Hồng, Ngọc Ánh, Mai Phương, Tuyết",
        "Đức=duc, Minh Quân, Hữu Phước, Tuấn",
        "Nguyễn, Trần, Phạm, Đặng=dang, Võ, Huỳnh",
    ),
    Culture(4, "Mai See, Pa Nhia, Kalia, Gao Nou", "Tou, Xeng, Cheng, Fue", "Vang, Xiong, Yang, Moua, Thao, Her"),
    Culture(
        4,
        "Hodan, Fadumo, Ifrah, Sahra",
        "Abdirahman, Cabdi, Guled, Warsame",
        "Warsame-Nuur, Abdullahi, Jama, Farah, Hersi",
    ),
    Culture(2, "Títílayọ̀, Tèmítọ́pẹ́, Fọlákẹ́", "Adébáyọ̀, Ayọ̀délé, Olúwaṣeun", "Adéyẹmí, Ògúnléyẹ̀, Ọláníyan, Ṣóyínká"),
    Culture(2, "Ngọzi, Chiamaka, Akosua", "Chukwuemeka, Kwabena, Obinna", "Okafor, Nwosu-Eze, Mensah, Boateng"),
    Culture(1, "Hiwot, Tigist", "Tewodros, Yonas", "Gebremariam, Haile-Selassie, Bekele"),
    Culture(1, "Nizhóní, Shándíín, Dezbah", "Ahiga, Niyol, Hózhǫ́", "Yazzie, Begay, Tsosie, Benally"),
    Culture(2, "Waabigwan, Wičháȟpi", "Migizi, Čhaská", "Whitefeather, Big-Bear, Littlecrow"),
    Culture(1, "Kaʻiulani, Leilani, Kēhaulani", "Kāne, Ikaika, Keawe", "Kealoha, Kamakaʻōpae, Māhoe"),
    Culture(1, "Aroha, Sāmoana", "Tāne, Sione", "Ngāta, Faʻasavalu, Tuilagi"),
    Culture(
        4,
        "Ananya, Priyanka, Lakshmi, Meera",
        "Arjun, Rohan, Vikram, Aarav",
        "Patel, Subramaniam, Chaudhary, Iyer, Banerjee",
    ),
    Culture(1, "Harpreet, Simran", "Gurdeep, Jaspreet", "Kaur, Singh, Dhaliwal"),
    Culture(2, "Maria Corazon, Ligaya", "Jomar, Bayani", "Dela Cruz, Magsaysay, Batungbakal"),
    Culture(2, "Seo-yeon, Ha-eun", "Min-jun, Ji-ho", "Kim, Park, Choi, Hwang"),
    Culture(1, "Sakura, Yūko", "Kenshirō, Shōta", "Ōno, Takahashi, Satō"),
    Culture(2, "Nour, Layla, Amina", "Omar, Youssef, Khalid", "Al-Masri, El-Khoury, bin Rashid, Haddad"),
    Culture(
        0.6,
        "美玲=meiling, 雨桐=yutong, 静怡=jingyi",
        "志明=zhiming, 浩然=haoran, 子轩=zixuan",
        "王=wang, 李=li, 陳=chen, 欧阳=ouyang",
        mixes=False,
    ),
    Culture(
        0.3, "さくら=sakura, 陽菜=hina", "健太=kenta, 翔=sho", "田中=tanaka, 小林=kobayashi, 鈴木=suzuki", mixes=False
    ),
    Culture(0.3, "서연=seoyeon, 지우=jiwoo", "민준=minjun, 도윤=doyun", "김=kim, 박=bak, 최=choe", mixes=False),
    Culture(
        0.5,
        "فاطمة=fatima, ليلى=layla, مريم=maryam",
        "محمد=muhammad, يوسف=yusuf, خالد=khalid",
        "حداد=haddad, المصري=almasri, الخطيب=alkhatib",
        mixes=False,
    ),
    Culture(0.3, "נועה=noa, תמר=tamar", "דוד=david, איתן=eitan", "כהן=cohen, לוי=levi, בן־דוד=bendavid", mixes=False),
    Culture(0.2, "Ελένη=eleni, Άννα=anna", "Νίκος=nikos, Γιώργος=giorgos", "Παπαδόπουλος=papadopoulos", mixes=False),
    Culture(
        0.5,
        "Олена=olena, Дарʼя=darya",
        "Володимир=volodymyr, Андрій=andrii",
        "Шевченко=shevchenko, Коваленко=kovalenko, Мельник=melnyk",
        mixes=False,
    ),
    Culture(0.2, "आशा=asha, प्रिया=priya", "अर्जुन=arjun, रोहन=rohan", "शर्मा=sharma, पटेल=patel", mixes=False),
)

_SCHOOL_FIRST = (
    "Cedar Maple Birch Prairie Eagle Heron Granite Willow Juniper Meadow Pine River Elm Aspen Falcon Harvest Loon"
)
_SCHOOL_SECOND = (
    "Creek Ridge Hollow Bend Grove Point Valley Crossing Falls Heights Lake Park Run Landing Terrace Glen Bluff"
)
SCHOOLS: tuple[str, ...] = tuple(
    f"{first} {second}"
    for shift in range(17)
    for first, second in zip(_SCHOOL_FIRST.split(), np.roll(_SCHOOL_SECOND.split(), -shift), strict=True)
)
_STREETS = "Oak Division Washington Lincoln Maple Jefferson Spring Water Union College Cannon Linden Elm Mill"
STREETS: tuple[str, ...] = tuple(
    f"{name} {kind}" for name in _STREETS.split() for kind in ("St", "Ave", "Dr", "Ln", "Ct", "Blvd", "Way", "Rd")
)
STATE = "MN"
TOWNS: tuple[tuple[str, str, str], ...] = (
    ("Northfield", "55057", "507"),
    ("Faribault", "55021", "507"),
    ("Owatonna", "55060", "507"),
    ("Dundas", "55019", "507"),
    ("Lonsdale", "55046", "507"),
    ("Kenyon", "55946", "507"),
    ("Cannon Falls", "55009", "507"),
    ("Red Wing", "55066", "651"),
    ("Farmington", "55024", "651"),
    ("Lakeville", "55044", "952"),
)
"""Town, its ZIP code and its telephone area: neighbors in the south-east of Minnesota."""


class Level(NamedTuple):
    """A kind of school: its grades (0 is kindergarten) and the number of students it is built for."""

    title: str
    first: int
    last: int
    students: int


LEVELS = (Level("Elementary School", 0, 5, 450), Level("Middle School", 6, 8, 700), Level("High School", 9, 12, 1400))

HOMEROOM, CLASSROOM, HALL = (18, 23, 28), (15, 25, 34), (15, 32, 45)
"""Least, usual and most students of a section; there are fewer only where a whole grade is smaller."""


class Subject(NamedTuple):
    """A row of the catalog: what is taught at a level, in which slot of the day, as which of the slot's choices.

    Rows of one slot and choice follow each other through the year: two are semester courses, four are quarter courses.
    ``titles`` has a place for the grade, or is one title for each grade of the level.
    """

    level: int
    slot: int
    choice: int
    code: str
    department: str
    titles: tuple[str, ...]
    size: tuple[int, int, int]


SUBJECTS: tuple[Subject, ...] = (
    Subject(0, 0, 0, "ELA", "Homeroom", ("English Language Arts {}",), HOMEROOM),
    Subject(0, 1, 0, "MAT", "Homeroom", ("Mathematics {}",), HOMEROOM),
    Subject(0, 2, 0, "SCI", "Homeroom", ("Science {}",), HOMEROOM),
    Subject(0, 3, 0, "SOC", "Homeroom", ("Social Studies {}",), HOMEROOM),
    Subject(0, 4, 0, "MUS", "Music", ("Music {}",), HOMEROOM),
    Subject(0, 5, 0, "PED", "Physical Education", ("Physical Education {}",), HOMEROOM),
    Subject(1, 0, 0, "ENG", "English", ("English {}",), CLASSROOM),
    Subject(1, 1, 0, "MAT", "Mathematics", ("Mathematics {}",), CLASSROOM),
    Subject(1, 2, 0, "SCI", "Science", ("Earth Science", "Life Science", "Physical Science"), CLASSROOM),
    Subject(1, 3, 0, "SOC", "Social Studies", ("Social Studies {}",), CLASSROOM),
    Subject(1, 4, 0, "PED", "Physical Education", ("Physical Education {}",), HALL),
    Subject(1, 5, 0, "ART", "Explorations", ("Art {}",), CLASSROOM),
    Subject(1, 5, 0, "CSC", "Explorations", ("Computer Science {}",), CLASSROOM),
    Subject(1, 5, 0, "WLG", "Explorations", ("World Languages {}",), CLASSROOM),
    Subject(1, 5, 0, "HLT", "Explorations", ("Health {}",), CLASSROOM),
    Subject(1, 5, 1, "BND", "Music", ("Band {}",), HALL),
    Subject(1, 5, 2, "CHO", "Music", ("Choir {}",), HALL),
    Subject(2, 0, 0, "ENG", "English", ("English {}",), CLASSROOM),
    Subject(2, 1, 0, "MAT", "Mathematics", ("Algebra I", "Geometry", "Algebra II", "Precalculus"), CLASSROOM),
    Subject(2, 2, 0, "SCI", "Science", ("Earth Systems", "Biology", "Chemistry", "Physics"), CLASSROOM),
    Subject(2, 3, 0, "SOC", "Social Studies", ("Civics", "World History", "US History", "Economics"), CLASSROOM),
    Subject(2, 4, 0, "SPA", "World Languages", ("Spanish I", "Spanish II", "Spanish III", "Spanish IV"), CLASSROOM),
    Subject(2, 4, 1, "FRE", "World Languages", ("French I", "French II", "French III", "French IV"), CLASSROOM),
    Subject(2, 4, 2, "OJI", "World Languages", ("Ojibwe I", "Ojibwe II", "Ojibwe III", "Ojibwe IV"), CLASSROOM),
    Subject(2, 5, 0, "PED", "Physical Education", ("Physical Education {}",), HALL),
    Subject(2, 5, 0, "HLT", "Physical Education", ("Health {}",), CLASSROOM),
    Subject(2, 6, 0, "ART", "Arts", ("Studio Art {}",), CLASSROOM),
    Subject(2, 6, 1, "BND", "Music", ("Concert Band {}",), HALL),
    Subject(2, 6, 2, "CSC", "Technology", ("Computer Programming {}",), CLASSROOM),
    Subject(2, 6, 3, "ORC", "Music", ("Orchestra {}",), HALL),
)


class Names(NamedTuple):
    """Drawn names: texts, whether a woman's, the Latin spelling, and a key that is equal where spellings are."""

    first: pa.Array
    middle: pa.Array
    last: pa.Array
    woman: NDArray[np.bool_]
    spelling: pa.Array
    key: Numbers


def draw_names(rng: np.random.Generator, count: int) -> Names:
    """Draw names of persons.

    Parameters
    ----------
    rng : numpy.random.Generator
    count : int

    Returns
    -------
    Names
        Arrays of length ``count``.

    Examples
    --------
    >>> draw_names(np.random.default_rng(1), 2).spelling.to_pylist()
    ['kathe.schroder', 'minjun.choi']
    """
    shares = np.array([culture.share for culture in CULTURES])
    mixes = np.array([culture.mixes for culture in CULTURES])
    culture = rng.choice(len(shares), count, p=shares / shares.sum())
    woman = rng.random(count) < 0.5
    stray = mixes[culture] & (rng.random(count) < 0.12)
    weights = np.where(mixes, shares, 0.0)
    family = np.where(stray, rng.choice(len(shares), count, p=weights / weights.sum()), culture)
    first, second = (_GIVEN.draw(rng, culture * 2 + ~woman) for _ in range(2))
    last = _FAMILY.draw(rng, family)
    no_middle = (rng.random(count) > 0.4) | (first == second)
    return Names(
        _GIVEN.texts.take(pa.array(first)),
        _GIVEN.texts.take(pa.array(second, mask=no_middle)),
        _FAMILY.texts.take(pa.array(last)),
        woman,
        pc.binary_join_element_wise(_GIVEN.spellings.take(first), _FAMILY.spellings.take(last), "."),
        _GIVEN.codes[first] * len(_FAMILY.codes) + _FAMILY.codes[last],
    )


class _Pool:
    """Names in groups, laid end to end, so that many can be drawn at once."""

    def __init__(self, groups: list[str]) -> None:
        split = [[name.strip() for name in group.split(",")] for group in groups]
        self._sizes = np.array([len(names) for names in split])
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])
        written = [name.partition("=") for names in split for name in names]
        spellings = [latin or _spell(text) for text, _, latin in written]
        self.texts = pa.array([unicodedata.normalize("NFC", text) for text, _, _ in written])
        self.spellings = pa.array(spellings)
        self.codes: Numbers = np.unique(spellings, return_inverse=True)[1].astype(np.int64)

    def draw(self, rng: np.random.Generator, group: Numbers) -> Numbers:
        """A name of each group, its first ones more often than its last."""
        luck = rng.random(len(group)) ** 1.3
        return np.asarray(self._starts[group] + (luck * self._sizes[group]).astype(np.int64), dtype=np.int64)


def _spell(name: str) -> str:
    """A Latin name as an e-mail address spells it: letters only."""
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKD", name).lower())


_GIVEN = _Pool([names for culture in CULTURES for names in (culture.women, culture.men)])
_FAMILY = _Pool([culture.family for culture in CULTURES])

GIVEN_NAMES: tuple[str, ...] = tuple(dict.fromkeys(_GIVEN.texts.to_pylist()))
FAMILY_NAMES: tuple[str, ...] = tuple(dict.fromkeys(_FAMILY.texts.to_pylist()))
