"""What other systems call our files and columns, in the languages that clinics of ours are likely to come from.

Only suggestions: a person sees them beside the first rows and may choose otherwise.
"""
from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

from clinic.interchange.moving_in.forms import FORMS, Form

FILES: Mapping[str, str] = {
    "clinics.csv": "clinics clinic sites locations branches standorte kliniken praxen cliniques sites clinicas centros"
                   " cliniche sedi klinieken vestigingen",
    "practitioners.csv": "practitioners practitioner staff providers therapists behandler mitarbeiter praticiens"
                         " soignants profesionales terapeutas profissionais operatori medici behandelaars",
    "rota.csv": "rota rotas schedules shifts workinghours dienstplan arbeitszeiten planning horaires horarios turni"
                " orari rooster",
    "rooms.csv": "rooms room raume zimmer salles cabines salas gabinetes stanze cabine kamers",
    "devices.csv": "devices device equipment machines gerate appareils equipos aparatos equipamentos apparecchi"
                   " apparaten",
    "absences.csv": "absences absence leave holidays timeoff abwesenheiten urlaub conges ausencias assenze ferie"
                    " verlof",
    "patients.csv": "patients patient clients client customers contacts patienten kunden kontakte clientes pacientes"
                    " pazienti clienti klanten",
    "courses.csv": "courses course packages treatmentplans plans kurse serien behandlungsserien pakete forfaits cures"
                   " bonos paquetes pacotes pacchetti kuren",
    "appointments.csv": "appointments appointment bookings visits diary termine buchungen rendezvous rdv citas"
                        " agendamentos marcacoes consultas appuntamenti afspraken",
}

COLUMNS: Mapping[str, str] = {
    "id": "number no nr ref reference key code kennung nummer numero identifiant identificador codigo codice",
    "name": "fullname title bezeichnung nom nombre nome naam",
    "zone": "timezone zeitzone fuseauhoraire zonahoraria fusohorario fusoorario tijdzone",
    "address": "adresse anschrift direccion morada endereco indirizzo adres street strasse",
    "phone": "telephone tel mobile mobil handy cell phonenumber telefon telefonnummer telefono telefone telemovel"
             " portable cellulare telefoon mobiel",
    "sender_email": "senderaddress fromemail absender email",
    "hours": "openinghours offnungszeiten horaires horario orario openingstijden",
    "qualifications": "skills qualifikationen qualificationen cualificaciones qualificacoes qualifiche",
    "certificates": "zertifikate nachweise certificats certificados certificati certificaten",
    "active": "isactive enabled aktiv actif activo ativo attivo actief",
    "practitioner": "practitionerid staff staffid provider therapist doctor behandler mitarbeiter arzt praticien"
                    " soignant profesional terapeuta profissional medico operatore behandelaar",
    "clinic": "clinicid site location branch standort klinik praxis clinique clinica centro sede kliniek vestiging",
    "room": "roomid raum zimmer salle cabine sala gabinete stanza kamer",
    "device": "deviceid equipment machine gerat appareil equipo aparelho apparecchio apparaat",
    "device_type": "type typ gerateart tipo",
    "given_name": "firstname forename vorname prenom nombre nombres primeironome nomeproprio nome voornaam",
    "family_name": "lastname surname familyname nachname familienname nom nomdefamille apellido apellidos apelido"
                   " sobrenome cognome achternaam",
    "birth_on": "dateofbirth birthdate birthday dob geburtsdatum geburtstag datedenaissance fechadenacimiento"
                " datadenascimento datadinascita geboortedatum",
    "email": "mail emailaddress emailadresse courriel adressemail correo correoelectronico endereceoemail"
             " postaelettronica",
    "language": "lang sprache langue idioma lingua taal",
    "channel": "contactby preferredcontact kontaktweg kanal",
    "wants_messages": "reminders remindersok erinnerungen rappels recordatorios lembretes promemoria",
    "marketing_consent": "marketing newsletter werbung consentmarketing optin",
    "alerts": "alert warning warnings allergies notes warnhinweis hinweis hinweise allergien notizen alertes avisos"
              " alergias allergie avvertenze",
    "patient": "patientid client clientid customer kunde patienten paciente cliente paziente patientnr",
    "protocol": "protocolcode treatment package behandlung protokoll protocole tratamiento tratamento trattamento",
    "sessions": "numberofsessions total anzahl sitzungen seances sesiones sessoes sedute sessies",
    "done_on": "done dates sessiondates erledigt faites realizadas feitas eseguite",
    "indication": "indikation motif indicacion indicacao indicazione",
    "start": "starttime startsat begin datetime dateandtime when beginn termin debut inicio inizio begintijd",
    "kind": "type appointmenttype art terminart tipo soort",
    "course": "courseid package kurs serie paket cure bono pacote pacchetto",
    "number": "sessionnumber sitzung sitzungsnummer seance sesion sessao seduta",
    "minutes": "duration length dauer duree duracion duracao durata duur",
    "from": "start startdate von ab debut desde dal van",
    "to": "end enddate bis fin hasta ate al tot",
    "reason": "grund motif motivo reden",
    "weekdays": "weekday days wochentage wochentag tage jours dias giorni dagen",
    "opens": "from start von beginn",
    "closes": "to end bis ende",
}

KEYS: Mapping[str, str] = {
    "patients.csv": "patientid clientid customerid patientnr patientennr patientennummer kundennr kundennummer",
    "practitioners.csv": "practitionerid staffid behandlernr mitarbeiternr",
    "appointments.csv": "appointmentid bookingid terminid terminnr terminnummer",
    "courses.csv": "courseid packageid kursnr seriennr",
    "clinics.csv": "clinicid siteid standortnr",
    "rooms.csv": "roomid raumnr",
    "devices.csv": "deviceid geratenr",
}
"""What the key of a row is called in its own file; in others the same word names what it points to."""

_LEAST = 3
"""Fewer columns speak for nothing: nearly every file has a number and a name."""


def form_of(file_name: str, headings: Sequence[str]) -> Form | None:
    """Which of our files this one is, by its name, or else by its columns; none where that is anybody's guess."""
    stem = _folded(file_name.rpartition("/")[2].rpartition(".")[0] or file_name)
    for form in FORMS:
        if stem in {_folded(form.file[:-4]), *FILES[form.file].split()}:
            return form
    fits = sorted(((_fit(form, headings), form) for form in FORMS), key=lambda each: -each[0])
    return fits[0][1] if fits[0][0] > max(fits[1][0], 0.5) else None


def suggested(form: Form, headings: Sequence[str]) -> dict[str, str | None]:
    """For each heading the column of ours that it seems to be, each of ours once; our own names come first."""
    ours: dict[str, str] = {}
    for exact in (True, False):
        for heading in headings:
            if heading in ours or not heading:
                continue
            found = next((column for column in form.names if column not in ours.values()
                          and _folded(heading) in _names_of(form.file, column, exact)), None)
            if found:
                ours[heading] = found
    return {heading: ours.get(heading) for heading in headings if heading}


def _fit(form: Form, headings: Sequence[str]) -> float:
    """How much of what the file needs is there, and how much of what is there it has."""
    found = {ours for ours in suggested(form, headings).values() if ours}
    if len(found) < _LEAST:
        return 0
    needed = sum(column in found for column in form.needed) / len(form.needed)
    return needed * 0.7 + 0.3 * len(found) / max(len(headings), 1)


@cache
def _names_of(file: str, column: str, exact: bool) -> frozenset[str]:
    own = {_folded(column)}
    if exact:
        return frozenset(own)
    keys = KEYS.get(file, "") if column == "id" else ""
    return frozenset(own | set(COLUMNS.get(column, "").split()) | set(keys.split()))


def _folded(text: str) -> str:
    """Letters and digits alone, without accents and case."""
    return "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if char.isalnum())
