"""What a process of an installation finds around it: the settings that terraform puts out, and AWS in an emulator."""

import os


def environment(endpoint: str, settings: dict[str, str], home: str, key: str) -> dict[str, str]:
    """Give a process its environment; `key` stands for the credentials that its role would bring."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **settings,
        "INTERLAYER_HOME": home,
        "AWS_DEFAULT_REGION": settings["INTERLAYER_STORE"].partition("region=")[2],
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
