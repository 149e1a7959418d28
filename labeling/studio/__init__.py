"""What talks to a Label Studio: its project, what is pushed there and pulled from it."""
