"""What ``rostra`` and ``python -m pipelines`` begin with."""

import sys

from pipelines.ending import exit_status, heed_signals


def main() -> None:
    """Run the command line; whoever ends it before it has begun is obeyed, too."""
    heed_signals()
    try:
        # Most of the time until a command begins is spent here.
        from pipelines import cli

        cli.main()
    except KeyboardInterrupt as ended:
        sys.exit(exit_status(ended))


if __name__ == "__main__":
    main()
