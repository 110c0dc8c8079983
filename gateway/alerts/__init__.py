"""Who is told when something needs a person: one alarm for one cause, one word when it is over."""
