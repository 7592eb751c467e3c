"""Telling others: theme, figures, plain-text tables, notebooks, HTML pages and the reply."""
