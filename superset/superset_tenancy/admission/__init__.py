"""How much of Superset one tenant may use at once. What is over it is refused at once, with status 429 and the reason."""
