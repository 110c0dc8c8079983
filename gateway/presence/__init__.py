"""Who is at work: what tells of it is gathered, judged by routing/attendance, stored, and known in every process."""
