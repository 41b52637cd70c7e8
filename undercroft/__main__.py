"""``python -m undercroft`` is the ``undercroft`` command, from its first import on."""

import sys


def main() -> None:
    """Run the command line; an interruption, while it still loads too, is one word and no traceback."""
    try:
        from undercroft.cli import main as run  # noqa: PLC0415 - loading takes a second, in which people change their mind

        run()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
