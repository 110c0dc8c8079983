"""Messenger channels at work: what they tell is stored before they are thanked, and becomes dialogues, contacts and deals."""
