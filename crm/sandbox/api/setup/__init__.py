"""What administrators set up, through the API as in the CRM's pages: fields, pipelines, roles, sources, chats."""
