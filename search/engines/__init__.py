"""One module for each engine: the only places that speak its language."""
