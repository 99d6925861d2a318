"""identity: which object it is, as a number, quicker than `id`."""

__all__ = ["identity"]

# `id` raises an audit event, and libraries that watch forks (filelock, which JAX imports where it
# is there) put a Python function behind all events: it makes each `id` cost a microsecond. The
# hash that every object has by default is its address too, rotated, of unhashable types as well.
identity = object.__hash__
