"""Full-text search and text similarity for Chinese listings, for any company's documents.

Knows documents, fields and queries; no business noun, no database, no environment. `port.py` is
what callers hold, `engines/` the only files that speak an engine's language, `analysis.py` makes
every token.
"""
