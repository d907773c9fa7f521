"""What columns of other systems are taken for, before a person says otherwise."""
from __future__ import annotations

import pytest

from clinic.interchange.moving_in import FORMS, Form
from clinic.interchange.moving_in.synonyms import COLUMNS, FILES, KEYS, form_of, suggested

PATIENTS = {
    "de": "Patienten-Nr.;Vorname;Nachname;Geburtsdatum;E-Mail;Telefon",
    "fr": "Numéro;Prénom;Nom de famille;Date de naissance;Courriel;Téléphone",
    "es": "Número;Nombre;Apellidos;Fecha de nacimiento;Correo electrónico;Teléfono",
    "pt": "Código;Nome próprio;Apelido;Data de nascimento;E-mail;Telemóvel",
    "it": "Codice;Nome;Cognome;Data di nascita;E-mail;Cellulare",
    "nl": "Nummer;Voornaam;Achternaam;Geboortedatum;E-mail;Mobiel",
    "en": "Client ID;First name;Surname;DOB;E-mail address;Mobile",
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.file)
def test_a_file_in_our_own_words_is_taken_as_it_is(form: Form) -> None:
    assert form_of("export.csv", form.names) == form_of(form.file, ()) == form
    assert suggested(form, form.names) == {name: name for name in form.names}


@pytest.mark.parametrize("language", PATIENTS)
def test_patients_are_recognised_in_the_languages_of_our_clinics(language: str) -> None:
    headings = PATIENTS[language].split(";")
    form = form_of("list-2027.csv", headings)

    assert form is not None
    assert form.file == "patients.csv"
    assert list(suggested(form, headings).values()) == [
        "id", "given_name", "family_name", "birth_on", "email", "phone"]


def test_the_key_of_another_file_points_to_it() -> None:
    form = form_of("Termine.csv", ())

    assert form is not None
    assert suggested(form, ["Termin-Nr", "Patient ID", "Beginn", "Raum"]) == {
        "Termin-Nr": "id", "Patient ID": "patient", "Beginn": "start", "Raum": "room"}


def test_what_says_too_little_is_left_to_a_person() -> None:
    assert form_of("list.csv", ["Code", "Name"]) is None
    assert form_of("list.csv", []) is None


def test_no_synonym_is_of_a_file_or_column_that_is_not_ours() -> None:
    files, columns = {form.file for form in FORMS}, {name for form in FORMS for name in form.names}

    assert (set(FILES), set(KEYS) - files, set(COLUMNS) - columns) == (files, set(), set())
