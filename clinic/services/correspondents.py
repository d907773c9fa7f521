"""Who answers for the messages of each kind of owner that is no course, upkeep or visit."""
from __future__ import annotations

from typing import Final

from clinic.services.account_post import Accounts
from clinic.services.correspondence import Correspondents
from clinic.services.fresh_links import PatientPost
from clinic.services.newsletter_post import Readers

CORRESPONDENTS: Final[Correspondents] = {"patient": PatientPost(), "subscriber": Readers(), "account": Accounts()}
