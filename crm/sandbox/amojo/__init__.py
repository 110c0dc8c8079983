"""The CRM's own chats as its documentation describes them: a host of its own there, the same one here."""
