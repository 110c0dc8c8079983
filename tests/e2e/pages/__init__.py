"""The pages as a person sees and uses them: a real browser, the gateway in front, every theme and language (make test-pages)."""
