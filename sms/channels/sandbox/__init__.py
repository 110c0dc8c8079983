"""The channel of the sandbox: our own inner form as JSON, in and out."""
