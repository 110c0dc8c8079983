"""amoCRM clients that others wrote, changed in nothing but the host, against the sandbox (`make test-foreign`)."""
