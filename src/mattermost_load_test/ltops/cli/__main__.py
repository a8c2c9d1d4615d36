"""`python -m mattermost_load_test.ltops.cli` is `ltops`."""

from mattermost_load_test.ltops.cli import main

if __name__ == "__main__":
    main()
