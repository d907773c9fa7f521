"""`python -m clinic.cli`: the same as `clinic`."""
from clinic.cli import main

main()
