"""What users give: arguments checked, columns and problem files read, memory required, and the words of messages."""
