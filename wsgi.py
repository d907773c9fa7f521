"""For WSGI servers: `wsgi:application`, set up by the CLINIC_* variables."""
import os

from clinic.app import build, settle
from clinic.logs import configure
from clinic.settings import Settings
from clinic.web import create_app

settings = Settings.from_env(os.environ)
configure(settings.log_level)
application = create_app(build(settings))
settle()
