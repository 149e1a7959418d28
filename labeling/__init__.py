"""People label sentences: Label Studio, agreement, adjudication, what to label next."""
