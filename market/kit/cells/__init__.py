"""What people write in the cells of a table, whatever the table is about.

texts.py     a text without differences of width, spaces and case; yes or no
numbers.py   numbers in digits, in words or both
days.py      days and months
amounts.py   the unit that a heading gives its figures, and currencies that are not ours
places.py    provinces, and the places that a caller names

Nothing here guesses: what can be meant in two ways is not read.
"""
