"""SMS at work: texts that are due become messages, messages go out through providers, and what they came to stands in the CRM."""
