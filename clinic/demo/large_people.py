"""Who the large demo's clinic is: three sites, twenty practitioners, and the names that its patients are made of."""
from __future__ import annotations

from dataclasses import dataclass

PORTO, VIGO, DUBLIN = "C-PORTO", "C-VIGO", "C-DUBLIN"
BUSINESS = "Atlantic Skin"
BOTH = "numbing-chair; laser-safe"


@dataclass(frozen=True, slots=True)
class LargeSite:
    """A site: how many rooms and practitioners it has, and its devices by type."""

    key: str
    name: str
    zone: str
    address: str
    phone: str
    email: str
    rooms: int
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LargeCourse:
    """A course that patients of the large demo have: protocol, indication, sessions, and what it takes to place it.

    Minutes are those of its visit in all, and from when to when the practitioner and the device are held.
    """

    protocol: str
    indication: str
    sessions: int
    qualification: str
    device: str
    ideal: int
    upkeep: int
    minutes: int
    begins: int
    treats: int
    device_minutes: int


SITES = (
    LargeSite(PORTO, "Atlantic Skin Porto", "Europe/Lisbon", "Rua das Flores 120, 4050-265 Porto", "+351 22 010 0140",
              "porto@atlantic-skin.example", 6,
              ("needling-pen", "needling-pen", "rf-needling", "ipl", "laser-hair")),
    LargeSite(VIGO, "Atlantic Skin Vigo", "Europe/Madrid", "Rúa do Príncipe 33, 36202 Vigo", "+34 986 010 140",
              "vigo@atlantic-skin.example", 4, ("needling-pen", "ipl", "laser-hair")),
    LargeSite(DUBLIN, "Atlantic Skin Dublin", "Europe/Dublin", "14 Harbour Row, Dublin 2", "+353 1 555 0140",
              "dublin@atlantic-skin.example", 4, ("needling-pen", "rf-needling", "ipl")),
)

_INJECTS = ("microneedling", "rf-microneedling", "peel-superficial")
_LIGHTS = ("ipl", "laser-hair-removal", "microneedling")
_ALL = ("microneedling", "peel-superficial", "ipl", "rf-microneedling", "laser-hair-removal")
PRACTITIONERS = (
    ("Dr Inês Amaral", PORTO, _ALL), ("Dr Marta Castro", PORTO, _INJECTS), ("Nurse Tomás Bello", PORTO, _LIGHTS),
    ("Nurse Helena Duarte", PORTO, _INJECTS), ("Dr Wei Chen", PORTO, _LIGHTS), ("Nurse Aisha Rahman", PORTO, _ALL),
    ("Dr Pedro Valente", PORTO, _INJECTS), ("Nurse Lia Torres", PORTO, _LIGHTS), ("Nurse Rui Prata", PORTO, _ALL),
    ("Dr Xiana Lema", VIGO, _ALL), ("Nurse Brais Souto", VIGO, _LIGHTS), ("Nurse Sabela Pazos", VIGO, _INJECTS),
    ("Dr Iago Rial", VIGO, _LIGHTS), ("Nurse Noela Otero", VIGO, _ALL), ("Dr Aoife Byrne", DUBLIN, _ALL),
    ("Nurse Ciara Nolan", DUBLIN, _INJECTS), ("Dr Eoin Walsh", DUBLIN, _LIGHTS), ("Nurse Siobhán Daly", DUBLIN, _ALL),
    ("Nurse Omar Haddad", DUBLIN, _INJECTS), ("Dr Priya Nair", DUBLIN, _LIGHTS),
)

COURSES = (
    LargeCourse("mn_rejuvenation", "texture", 4, "microneedling", "needling-pen", 30, 270, 105, 60, 30, 45),
    LargeCourse("peel_superficial", "acne", 5, "peel-superficial", "", 21, 90, 55, 15, 30, 0),
    LargeCourse("ipl_photorejuvenation", "redness", 5, "ipl", "ipl", 28, 365, 55, 15, 30, 40),
    LargeCourse("mn_acne_scar", "acne_scars", 4, "microneedling", "needling-pen", 30, 365, 105, 60, 30, 45),
    LargeCourse("lhr_body", "unwanted_hair_legs", 8, "laser-hair-removal", "laser-hair", 56, 365, 70, 15, 45, 55),
    LargeCourse("rfmn_acne_scar", "acne_scars", 3, "rf-microneedling", "rf-needling", 28, 365, 135, 75, 45, 60),
    LargeCourse("lhr_face", "unwanted_hair_face", 6, "laser-hair-removal", "laser-hair", 28, 365, 40, 15, 15, 25),
)
"""Kept beside the protocols that they are of; a test compares them."""

GIVEN = (
    "Ana", "Beatriz", "Carlos", "Daniela", "Eduardo", "Fátima", "Gabriel", "Hana", "Inês", "Joana", "Karim", "Laura",
    "Miguel", "Noa", "Olivia", "Paula", "Quentin", "Rosa", "Sofia", "Teresa", "Uxía", "Vera", "William", "Xoán", "Yara",
    "Zofia", "Aoife", "Brendan", "Caoimhe", "Declan", "Éabha", "Fionn", "Gráinne", "Hugh", "Kenji", "Lúcia", "Nadia",
    "Óscar", "Priya", "Ursula",
)
FAMILY = (
    "Moreira", "Santos", "Vieira", "Pires", "Lopes", "Gonçalves", "Nováková", "Carvalho", "El Idrissi", "Iglesias",
    "Otero", "Castro Vidal", "Bennett", "Rivas", "Dubois", "Lamas", "Almeida", "Fonseca", "Pazos", "O’Connor", "Rey",
    "Haddad", "Kowalska", "Byrne", "Ní Bhriain", "Walsh", "Nolan", "Watanabe", "Rahmani", "Lindqvist", "Meier",
)
ALERTS = ("Latex allergy", "Faints at needles: treat lying down", "Prefers a female practitioner", "Hearing aid")
DOUBLES = ((17, "Moreira"), (101, "Santos"), (233, "Walsh"))
"""Patients who came in a second time under another key, as they do: who, and the family name that both have."""
HOLIDAYS = ((12, 25, "Christmas Day"), (1, 1, "New Year's Day"))
