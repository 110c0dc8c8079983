"""When a client may be called, whether this call may be placed now, and what an attempt that came to nothing asks for."""
