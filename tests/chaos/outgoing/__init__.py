"""What goes out, under faults: a telephone system that calls at our order, a provider of texts, and the clients of both."""
