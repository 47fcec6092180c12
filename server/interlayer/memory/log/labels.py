"""What an entity is called by whom, and what becomes of it when two entities are one, or two again."""

from collections.abc import Mapping
from dataclasses import replace

from interlayer.memory.log.records import Head, Labels


def joined(kept: Head, other: Head) -> dict[str, Labels]:
    """Return what an entity is called by whom, together with another one; nothing while both are everybody's."""
    if not kept.labels and not other.labels:
        return {}
    ours, theirs = _labels_of(kept), _labels_of(other)
    both = dict(ours)
    for visibility, label in theirs.items():
        own = ours.get(visibility, Labels(label.name))
        names = tuple(dict.fromkeys([*own.names, label.name, *label.names]))
        both[visibility] = replace(own, names=names, identifiers=join(own.identifiers, label.identifiers))
    return both


def _labels_of(head: Head) -> dict[str, Labels]:
    return dict(head.labels) or {"": Labels(head.name, head.names, head.identifiers)}


def unlabelled(label: Labels, other: Head) -> Labels:
    """Return what an entity is called without what it had from another one."""
    names = tuple(name for name in label.names if name not in other.lent)
    return replace(label, names=names, identifiers=without(label.identifiers, other.identifiers))


def join(one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the identifiers of both."""
    return {kind: tuple(dict.fromkeys([*one.get(kind, ()), *other.get(kind, ())])) for kind in [*one, *other]}


def without(one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the identifiers of one that the other has not."""
    left = {kind: tuple(value for value in values if value not in other.get(kind, ())) for kind, values in one.items()}
    return {kind: values for kind, values in left.items() if values}
