"""Worlds of known truth, audited many times over: how often intervals cover the truth."""
