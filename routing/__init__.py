"""Decisions: values in, a Decision out.

What lives here decides who is called, what a call leaves behind in the CRM and why. It does no I/O, reads no
clock and draws no random numbers: `now` and turn counters are arguments. It imports the standard library's value
modules, pydantic, phonenumbers and regex only, so that any decision can be computed again from its stored inputs.
"""
