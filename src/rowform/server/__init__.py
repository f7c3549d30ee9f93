"""The live server: one process and one port, for WebSocket clients and for what is asked by HTTP.

It reads through :class:`rowform.server.source.Source` and knows neither the database nor the command line.
"""
