"""An amoCRM-compatible CRM server to develop, demonstrate and test against: its own reading of the vendor's API v4.

Here live the imitated API (strict where the vendor is strict), its limits, tokens, webhooks and moods, and the control
surface under `/_sandbox/`. It shares no code with `crm/amocrm`: a misreading must not stand on both sides. SQL stands in
`store/` only. What the vendor leaves open is a switch of `profile.py`.
"""
