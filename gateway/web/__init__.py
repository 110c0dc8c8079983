"""The pages for people: served by a process of their own, made of what `admin`, `decisions`, `health` and the stores give."""
