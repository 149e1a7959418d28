"""The prediction service: a model proposes labels while people label, and learns from their answers on demand."""
