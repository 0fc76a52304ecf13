"""`python -m kato` is the command `kato`."""

from kato.cli.main import main

if __name__ == "__main__":
    main()
