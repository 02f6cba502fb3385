"""Input of users: checks of arguments, CSV and problem files, limits of memory, and parts of error messages."""
