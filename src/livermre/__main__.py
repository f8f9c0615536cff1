"""`python -m livermre` is the command `livermre`."""

from livermre.apps.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
