"""`python -m interlayer`."""

from interlayer.main import main

if __name__ == "__main__":
    main()
