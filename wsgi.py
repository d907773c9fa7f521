"""For WSGI servers: `wsgi:application`, set up by the CLINIC_* variables."""
import os

from clinic.app import build
from clinic.settings import Settings
from clinic.web import create_app

application = create_app(build(Settings.from_env(os.environ)))
