"""SQL of alarms: what is remembered of each cause, and the messages that leave."""
