"""Edits from live clients: what one of them changed, told apart from what it only repeats.

A client sends whole settings, and often all of a table. Each is compared with what that client was told in
the version that its ``versionId`` names: a field that is equal to that is no edit, whatever the field is by
now. A field that only the client changed is taken over; one that somebody else changed as well is a conflict,
unless both made the same of it. Objects are looked at member by member, lists are one value.
"""
