"""`python -m mattermost_load_test.loadtest.cli` is `loadtest`."""

from mattermost_load_test.loadtest.cli import main

if __name__ == "__main__":
    main()
