"""The public pages of the newsletter in words, in each language in which it is written."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class NewsletterWords:
    """What the public pages say; {business} and {phone} are placeholders."""

    other: str
    title: str
    intro: str
    email: str
    email_fault: str
    too_many: str
    language: str
    interests: str
    interests_hint: str
    interest: Mapping[str, str]
    leave_empty: str
    agree: str
    send: str
    asked_title: str
    asked: str
    asked_wait: str
    confirm_title: str
    confirm: str
    confirm_button: str
    confirmed_title: str
    confirmed: str
    stop_title: str
    stop: str
    stop_button: str
    stopped_title: str
    stopped: str
    again: str
    dead_title: str
    dead: str
    archive: str
    archive_none: str
    back: str
    sign_up: str
    months: tuple[str, ...]
    day: str


ENGLISH = NewsletterWords(
    other="Deutsch", title="Newsletter",
    intro="News and tips of {business}, at most twice a month. Nothing tells us whether you read it.",
    email="Your e-mail address", email_fault="Enter an e-mail address, such as name@example.org.",
    too_many="There were too many sign-ups from your network. Wait a quarter of an hour and try again.",
    language="Language of the newsletter", interests="What you like to read", interests_hint="None ticked: everything.",
    interest=MappingProxyType({"news": "News of the clinic", "tips": "Everyday tips", "events": "Open days and events",
                               "offers": "Offers"}),
    leave_empty="Leave this empty", agree="What you agree to", send="Send me the newsletter",
    asked_title="Look into your mailbox",
    asked="We have sent an e-mail to {email}. The newsletter begins once you have pressed the button in it.",
    asked_wait="Nothing there after a few minutes? Look among unwanted mail, or check the address. An address that was "
               "asked several times today gets no further e-mail for now.",
    confirm_title="Shall we send it?",
    confirm="Press the button, and the newsletter of {business} comes to the address at which you got our e-mail.",
    confirm_button="Yes, please send it", confirmed_title="Thank you",
    confirmed="The newsletter comes to you from the next edition on. You can stop it with one click in every edition.",
    stop_title="Stop the newsletter?",
    stop="You will get no newsletter of {business} any more. Your appointments and their messages stay as they are.",
    stop_button="Stop the newsletter", stopped_title="The newsletter is stopped",
    stopped="You get none any more. Your appointments and their messages stay as they are.",
    again="Pressed by mistake? Sign up again.", dead_title="This link opens nothing",
    dead="It may be cut short, too old, or from a test. Sign up again to get the newsletter; to stop it, use the link "
         "of any edition, or call us: {phone}.",
    archive="Editions so far", archive_none="No edition has been sent yet.", back="All editions", sign_up="Sign up",
    months=("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December"), day="{day} {month} {year}",
)
GERMAN = NewsletterWords(
    other="English", title="Newsletter",
    intro="Neuigkeiten und Tipps von {business}, höchstens zweimal im Monat. Nichts verrät uns, ob Sie ihn lesen.",
    email="Ihre E-Mail-Adresse", email_fault="Geben Sie eine E-Mail-Adresse ein, etwa name@example.org.",
    too_many="Aus Ihrem Netz kamen zu viele Anmeldungen. Warten Sie eine Viertelstunde und versuchen Sie es noch "
             "einmal.",
    language="Sprache des Newsletters", interests="Was Sie gern lesen",
    interests_hint="Nichts angekreuzt: alles.",
    interest=MappingProxyType({"news": "Neues aus der Praxis", "tips": "Tipps für den Alltag",
                               "events": "Offene Tage und Termine", "offers": "Angebote"}),
    leave_empty="Dieses Feld leer lassen", agree="Womit Sie einverstanden sind", send="Newsletter bestellen",
    asked_title="Schauen Sie in Ihr Postfach",
    asked="Wir haben eine E-Mail an {email} gesendet. Der Newsletter beginnt, sobald Sie darin auf die Schaltfläche "
          "gedrückt haben.",
    asked_wait="Nach ein paar Minuten nichts da? Schauen Sie unter unerwünschter Post nach oder prüfen Sie die "
               "Adresse. Eine Adresse, die heute mehrmals gefragt wurde, bekommt vorerst keine weitere E-Mail.",
    confirm_title="Dürfen wir ihn senden?",
    confirm="Drücken Sie auf die Schaltfläche, und der Newsletter von {business} kommt an die Adresse, unter der Sie "
            "unsere E-Mail bekommen haben.",
    confirm_button="Ja, bitte senden", confirmed_title="Vielen Dank",
    confirmed="Der Newsletter kommt ab der nächsten Ausgabe zu Ihnen. Sie können ihn in jeder Ausgabe mit einem Klick "
              "abbestellen.",
    stop_title="Newsletter abbestellen?",
    stop="Sie bekommen dann keinen Newsletter von {business} mehr. Ihre Termine und die Nachrichten dazu bleiben, wie "
         "sie sind.",
    stop_button="Newsletter abbestellen", stopped_title="Der Newsletter ist abbestellt",
    stopped="Sie bekommen keinen mehr. Ihre Termine und die Nachrichten dazu bleiben, wie sie sind.",
    again="Aus Versehen gedrückt? Melden Sie sich wieder an.", dead_title="Dieser Link öffnet nichts",
    dead="Er ist vielleicht unvollständig, zu alt oder aus einem Test. Melden Sie sich neu an, um den Newsletter zu "
         "bekommen; zum Abbestellen nehmen Sie den Link einer Ausgabe oder rufen uns an: {phone}.",
    archive="Bisherige Ausgaben", archive_none="Es wurde noch keine Ausgabe gesendet.", back="Alle Ausgaben",
    sign_up="Anmelden",
    months=("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
            "Dezember"), day="{day}. {month} {year}",
)
WORDS: Mapping[str, NewsletterWords] = MappingProxyType({"en": ENGLISH, "de": GERMAN})
