"""`python -m patron.cli`: the same as the `patron` command."""

from patron.cli.main import main

if __name__ == "__main__":
    main()
