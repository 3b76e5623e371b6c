"""`python -m firth`: the command, where `firth` itself is not on the path."""

from firth.cli import main

if __name__ == "__main__":
    main()
