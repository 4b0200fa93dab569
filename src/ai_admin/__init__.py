"""The data layer of a WhatsApp booking assistant for salons, built on trueup and verified by it."""
