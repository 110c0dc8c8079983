"""One call as the client sees it: what PBXs tell of it, folded into a value, whatever the order and repetition."""
