"""What the programs in scripts/ call: a module a rule, with ``add_arguments`` and ``main``."""
