"""Day sheets for when power or network fails: one page that any browser opens from a stick, closed by a passphrase."""
