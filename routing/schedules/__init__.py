"""Who works when: schedules of people, groups and accounts, and the calendar of days that are free or work although they should not."""
