"""The compiled inner loops. The physics is in `step`; drivers fetch, loop and count."""
