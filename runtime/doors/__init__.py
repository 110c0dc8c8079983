"""What every door that the process listens at needs: who may stay, how many descriptors there are, what is told of
strangers, and memory that is given back. Knows no protocol."""
