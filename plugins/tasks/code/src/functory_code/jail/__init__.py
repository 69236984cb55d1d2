"""A process that runs a stranger's Python and can reach nothing. Of the standard library alone, as no other package is there:
``jail.running`` is what the sandbox starts, `walls` what it builds around itself, `filtering` the calls that are left,
`kernel` how Linux is asked.
"""
