"""Colours, told apart by the colour-blind, by day and by night.

Blue is better and orange worse; what colour says is said by a shape or a word too.
"""

LIGHT = {
    "paper": "#ffffff",
    "panel": "#f5f6f8",
    "ink": "#1b1f24",
    "muted": "#59626d",
    "grid": "#dfe3e8",
    "below": "#b3470a",
    "above": "#0b5fa5",
    "undecided": "#68717c",
    "far-below": "#b3470a",
    "near-below": "#f2b286",
    "near-above": "#a3c8ea",
    "far-above": "#0b5fa5",
    "on-strong": "#ffffff",
    "on-weak": "#1b1f24",
}
DARK = {
    "paper": "#14181d",
    "panel": "#1d232a",
    "ink": "#e9ecef",
    "muted": "#a7b0ba",
    "grid": "#343c46",
    "below": "#ff9a57",
    "above": "#69b3f7",
    "undecided": "#a7b0ba",
    "far-below": "#ff9a57",
    "near-below": "#7d4721",
    "near-above": "#27527a",
    "far-above": "#69b3f7",
    "on-strong": "#14181d",
    "on-weak": "#e9ecef",
}
# Of a page, whose style sheet says what each name is by day and by night.
PAGE = {name: f"var(--{name})" for name in LIGHT}
