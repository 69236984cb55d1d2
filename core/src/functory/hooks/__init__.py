"""What a hook plugin may do inside a step: whom a failure is told of, what it must answer, what it cannot change."""
