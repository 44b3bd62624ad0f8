"""A package, with which fixtures of that scope end."""
