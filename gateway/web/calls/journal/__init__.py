"""The journal: its filters, its rows, its table for spreadsheets."""
