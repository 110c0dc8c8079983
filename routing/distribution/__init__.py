"""Who gets it: which of these people is given a deal, a missed call or a ringing phone now, and why.

Values in, value out: the template as its admin wrote it, what is to be given, what is known of each person, and the credits of
those before. Nothing here knows where any of it is kept.
"""
