"""A simulated till: an independent model of what a till maker has to do.

It knows the wire contract and nothing of the server's code, speaks real HTTP with the standard library,
and reads from left to right like a day in a shop:

    articles   the catalogue, as fetched from the server
    sale       one sale and the bytes a till sends for it
    rhythm     invents sales as a campground makes them
    tickets    reads real tickets from a file and prices them
    journal    every reference on disk before anything is sent
    wire       one connection; an answer, or none
    answers    what an answer means: acknowledged, once more, or refused
    asking     one request, repeated until it is answered
    selling    the whole journal, on several connections, twins among them
    evening    reads everything back and compares it with the journal

Errors:

    TillStopped              the run cannot go on; the message is meant for the person at the keyboard
    ├── BudgetUsedUp         the key's hourly budget is spent
    ├── KeyRefused           401 or 403
    └── NobodyAnswers        no usable answer for longer than the till is patient
    Refused                  one request was answered with a final refusal
    MalformedTickets         a line of a ticket file cannot be read
"""
