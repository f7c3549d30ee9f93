"""Settings of a browser ⇄ settings of a restaurant. Pure: whoever calls it has read the file.

The application keeps its settings as one JSON value in localStorage, in shapes that changed over the years.
``source`` reads such a value, ``rules`` say as data where each member belongs, ``mapping`` applies them and
accounts for every value, ``export`` is the inverse, ``merge`` compares several copies.
"""
