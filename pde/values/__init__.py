"""Values of an equation's solution at points, by walks from them."""
