"""Where things are kept. `interface.py` says what every place promises, `opening.py` opens one."""
