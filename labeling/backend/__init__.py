"""The prediction service: a model proposes labels while people label, and is trained on their answers on demand."""
