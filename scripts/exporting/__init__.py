"""The same definitions for Tableau and Power BI, generated from the semantic layer."""
