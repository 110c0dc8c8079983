"""What speaking to vendors needs, whatever they sell: one HTTP request, and signatures that several packages share."""
