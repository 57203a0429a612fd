"""The errors that a user can cause."""


class UserError(Exception):
    """Something a user can mend.

    The message is one line: what is wrong, where (file, key, tensor), what to do.
    """


class BitstreamError(UserError):
    """A bitstream that cannot be decoded: cut short, altered, or of another format version."""
