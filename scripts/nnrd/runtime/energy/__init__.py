"""What is used up: counters of energy and power where a machine has them, else the reasons why not.

`meter.Meter.find()` is what can be read here. A number in a measured field was read from a counter;
where there is none it is None, and the reasons say what was looked for.
"""
