"""Sides that somebody writes to meanwhile: rows that differ are read again."""
