"""Labelling by people: Label Studio, agreement, adjudication, what to label next."""
