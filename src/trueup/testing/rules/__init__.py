"""What holds for a sound data layer, whatever it is about: each rule returns what breaks it."""
