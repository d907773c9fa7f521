"""Files of another system as rows that can be moved in: what they may hold, and what is wrong with them."""
from clinic.interchange.moving_in.faults import Fault, Listed
from clinic.interchange.moving_in.forms import FORMS, MAPPING, Column, Form
from clinic.interchange.moving_in.report import Count, Report

__all__ = ["FORMS", "MAPPING", "Column", "Count", "Fault", "Form", "Listed", "Report"]
