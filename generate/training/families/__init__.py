"""How the families are trained, one file each; they need torch as they are imported."""
