"""By distribution template: whose turn a call is, and what is booked for it."""
