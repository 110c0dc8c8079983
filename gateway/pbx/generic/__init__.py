"""The generic kind: the newCall / answer / hangup / recording push format that several PBXs share (sipgate, Zammad, …)."""
