__all__ = ["exported"]
exported = "exported"
hidden = 1
