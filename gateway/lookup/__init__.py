"""From the PBX's question to the answer, in memory: no I/O but the socket. Decisions are written down afterwards."""
