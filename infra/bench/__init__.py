"""Measures the whole site beside its bare engine, in one run."""
