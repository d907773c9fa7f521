"""Who the demo's clinic is: fixed names and facts, so that every demo is the same clinic."""
from __future__ import annotations

from dataclasses import dataclass

from clinic.care.message_kinds import MessageKind

PORTO, VIGO = "Porto", "Vigo"


@dataclass(frozen=True, slots=True)
class Site:
    """One of the demo's two clinics, which lie in two zones."""

    key: str
    name: str
    zone: str
    address: str
    phone: str
    email: str
    rooms: tuple[tuple[str, tuple[str, ...]], ...]
    devices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """A half day at a site: so many weekdays after the demo's first, from and to in minutes after midnight."""

    day: int
    site: str
    opens: int
    closes: int
    week: int = 0
    break_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A practitioner of the demo."""

    name: str
    qualifications: tuple[str, ...]
    shifts: tuple[Shift, ...]
    weeks: int = 1


SITES = (
    Site(PORTO, "Atlantic Skin Porto", "Europe/Lisbon", "Rua das Flores 120\n4050-265 Porto", "+351 22 010 0140",
         "porto@atlantic-skin.example",
         (("Room 1", ("numbing-chair", "laser-safe")), ("Room 2", ("numbing-chair", "laser-safe")),
          ("Numbing chair", ("numbing-chair",))),
         (("Needling pen A", "needling-pen"), ("RF needling", "rf-needling"), ("IPL", "ipl"))),
    Site(VIGO, "Atlantic Skin Vigo", "Europe/Madrid", "Rúa do Príncipe 33\n36202 Vigo", "+34 986 010 140",
         "vigo@atlantic-skin.example",
         (("Sala 1", ("numbing-chair",)), ("Sala 2", ("numbing-chair",))),
         (("Needling pen B", "needling-pen"),)),
)

OWN_WORDS: tuple[tuple[MessageKind | None, dict[str, str]], ...] = (
    (None, {"directions": "Ring at the green door. The lift is on your left; we are on floor 2.",
            "closing": "See you soon,\nInês, Marta and everybody at {clinic}"}),
    (MessageKind.REMINDER_2D, {"reminder-2d/subject": "See you on {date} at {time}",
                               "reminder-2d/opening": "We have everything ready for you, {first_name}."}),
)
"""What the clinic in Porto says in words of its own, by what is written at one time."""

PRACTITIONERS = (
    Person("Dr Inês Amaral", ("microneedling", "rf-microneedling", "peel-superficial", "peel-medium"),
           (Shift(0, PORTO, 570, 690), Shift(2, PORTO, 840, 900))),
    Person("Dr Marta Castro", ("microneedling", "rf-microneedling", "ipl"),
           (Shift(1, PORTO, 600, 690), Shift(4, PORTO, 600, 660, week=1)), weeks=2),
    Person("Nurse Tomás Bello", ("microneedling", "peel-superficial", "ipl"),
           (Shift(0, PORTO, 840, 930, break_minutes=15), Shift(3, VIGO, 630, 705))),
    Person("Nurse Helena Duarte", ("microneedling", "peel-superficial"), (Shift(1, VIGO, 960, 1050),)),
    Person("Dr Wei Chen", ("rf-microneedling", "ipl"), (Shift(3, PORTO, 570, 660),)),
    Person("Nurse Aisha Rahman", ("ipl", "microneedling"), (Shift(4, PORTO, 840, 930),)),
)
"""Each comes for an hour or two on one or two days: the sessions of a small clinic that shares its rooms."""

NAMES = (
    ("Ana", "Moreira"), ("Beatriz", "Santos"), ("Carlos", "Vieira"), ("Daniela", "Pires"), ("Eduardo", "Lopes"),
    ("Fátima", "Gonçalves"), ("Gabriel", "Ferreira"), ("Hana", "Nováková"), ("Inês", "Carvalho"), ("Joana", "Matos"),
    ("Karim", "El Idrissi"), ("Laura", "Iglesias"), ("Miguel", "Otero"), ("Noa", "Castro Vidal"), ("Olivia", "Bennett"),
    ("Paula", "Rivas"), ("Quentin", "Dubois"), ("Rosa", "Lamas"), ("Sofia", "Almeida"), ("Teresa", "Fonseca"),
    ("Uxía", "Pazos"), ("Vera", "Antunes"), ("William", "O’Connor"), ("Xoán", "Rey"), ("Yara", "Haddad"),
    ("Zofia", "Kowalska"), ("Amélia", "Rocha"), ("Bruno", "Teixeira"), ("Clara", "Neves"), ("David", "Cohen"),
    ("Elena", "Soto"), ("Filipa", "Barros"), ("Grace", "Adeyemi"), ("Helena", "Sousa"), ("Ivan", "Petrov"),
    ("Júlia", "Magalhães"), ("Kenji", "Watanabe"), ("Lúcia", "Dacosta"), ("Mariana", "Pinto"), ("Nadia", "Rahmani"),
    ("Óscar", "Blanco"), ("Priya", "Nair"), ("Rita", "Cardoso"), ("Sara", "Lindqvist"), ("Tiago", "Ramos"),
    ("Ursula", "Meier"), ("Valentina", "Rossi"), ("伟", "张"), ("Xiana", "Souto"), ("Yolanda", "Freire"),
    ("Zaida", "Cuevas"), ("André", "Lobo"), ("Bárbara", "Reis"), ("Cecília", "Monteiro"), ("Duarte", "Faria"),
    ("Elisa", "Varela"), ("ليلى", "حداد"), ("Gonçalo", "Mendes"), ("Helga", "Sørensen"),
    ("Isabel", "Maria de Jesus e Vasconcelos"),
)

ALERTS = {3: "Latex allergy", 11: "Faints at needles: treat lying down", 24: "Prefers a female practitioner"}
SHARED_ADDRESS = {13: 12}
"""Patients who share the address of another one, by their places in NAMES."""
NO_EMAIL = frozenset({17, 40})
RATHER_LATE = frozenset({5, 20, 33})

Booked = tuple[str, str | None, int]
"""A protocol, its indication (none: the protocol's first) and the number of sessions."""

COURSES_AT_PORTO: tuple[Booked, ...] = (
    ("rfmn_laxity", "moderate_laxity", 3), ("mn_acne_scar", None, 4), ("mn_rejuvenation", "texture", 4),
    ("ipl_photorejuvenation", None, 4), ("rfmn_acne_scar", None, 3), ("peel_superficial", None, 4),
)
COURSES_AT_VIGO: tuple[Booked, ...] = (
    ("mn_rejuvenation", "fine_lines", 4), ("peel_superficial", None, 5), ("mn_acne_scar", None, 4),
)
QUALIFIED_BY = {"mn": "microneedling", "rfmn": "rf-microneedling", "ipl": "ipl", "peel": "peel-superficial"}
"""The qualification for the protocols whose codes begin so."""
FIRST_COURSES: tuple[Booked, ...] = (("peel_superficial", None, 3),)
"""The courses of the first patients: short, so that they are completed, and their upkeep is due, on the demo's day."""
APPROVED = ("rfmn_laxity", "mn_acne_scar", "mn_rejuvenation", "ipl_photorejuvenation", "rfmn_acne_scar",
            "peel_superficial")
PASSWORD = "atlantic-demo"
ACCOUNTS = (
    ("reception@atlantic-skin.example", "Rui Tavares", "receptionist"),
    ("practitioner@atlantic-skin.example", "Dr Inês Amaral", "practitioner"),
    ("manager@atlantic-skin.example", "Catarina Melo", "manager"),
)
