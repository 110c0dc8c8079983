"""The CRM, PBXs, employees, numbers and the rest of the setup."""
