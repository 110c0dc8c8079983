"""SMSC.ru: a message has our own id, so one whose answer was lost can be asked after."""
