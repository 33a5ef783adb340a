"""Reports: the documents of exactly one annotation version, as other systems take them."""
