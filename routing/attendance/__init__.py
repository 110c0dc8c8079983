"""Whether an employee is at work: signs of life, the question after a silence, what a person or a schedule decided."""
