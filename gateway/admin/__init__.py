"""What a person orders, once for command line, API, pages and files. No HTTP and no printing here."""
