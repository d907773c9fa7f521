"""The clinic's figures: rows of what happened go in, figures come out, and each figure has its definition beside it."""
