"""The two databases, each as it was at one moment, at work side by side."""
