"""Live: news in; the chains as they are now, and a timeline of sentences about what changed, out."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from components.settings.conventions import DEFAULT_NAMESPACE, EBS_DRIVER
from components.settings.tour_plan import TOUR_NAMESPACE
from lab.beside import clients, tour
from lab.chain import Chain, Link, chain_of
from lab.reading.ec2 import Ec2Ids, Ec2Seen
from lab.reading.objects import at
from lab.reading.snapshot import Snapshot, ec2_ids, snapshot_class, snapshots
from lab.reading.stack import Stack
from lab.reading.world import EC2, KUBERNETES, Away, Changed, Ec2Told, Listed, News, StackRead, World
from lab.sentences import sentences
from lab.sentences.common import Bad
from lab.sentences.storage import about_instance, about_volume
from lab.words import joined, say

# What a learner may want to scroll back to.
MOST_SENTENCES = 500
EC2_LINKS = ("EBS volume", "EC2 instance")
ASKING = "asking EC2"
TOUR = "tour"
# More than that are counted in the first sentence.
MOST_BROKEN = 5


@dataclass(frozen=True)
class Sentence:
    """A line of the timeline. `bad` is set for warnings and failures."""

    when: datetime
    text: str
    bad: bool = False

    def __str__(self) -> str:
        return f"{self.when:%H:%M:%S} {self.text}"


Place = tuple[str, str, int]
"""A link in the picture: its server, its kind, and which one of that kind."""


class Live:
    """The times are those that the caller gives with each piece of news."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.timeline: deque[Sentence] = deque(maxlen=MOST_SENTENCES)
        self.away: dict[str, str] = {}
        self.changed: dict[Place, datetime] = {}
        self.ec2_at: datetime | None = None
        self._world = World()
        self._told: set[str] = set()
        # What was said of namespaces that the stack does not have, or not yet.
        self._elsewhere: deque[tuple[str | None, Sentence]] = deque(maxlen=MOST_SENTENCES)
        self._links: dict[Place, Link] = {}
        self._chains: list[Chain] | None = None
        self._news_at: datetime | None = None
        self._tour: Chain | None = None

    @property
    def listed(self) -> bool:
        """Whether the cluster has answered yet."""
        return KUBERNETES in self._told

    def take(self, news: News, now: datetime) -> list[Sentence]:
        """Take the news in, and return the sentences that it adds to the timeline."""
        before = len(self._told)
        match news:
            case Away():
                said = self._away(news)
            case StackRead(stack):
                self.stack, self._chains, self._news_at = stack, None, now
                return self._catch_up()
            case _:
                said = self._news(news, now)
        self._chains, self._news_at = None, now
        if len(self._told | set(self.away)) == 2 and len(self._told) > before:
            said.append(self._summary())
        return [self.say(text, now, bad=isinstance(text, Bad)) for text in said]

    def say(self, text: str, now: datetime, *, bad: bool = False) -> Sentence:
        """Add a line to the timeline, and return it."""
        sentence = Sentence(now, text, bad)
        self.timeline.append(sentence)
        return sentence

    def look(self) -> Sequence[Chain]:
        """Return the chain of every server; empty before the cluster has answered.

        A class has many servers, so who takes much news looks after all of it, and not after each piece.
        """
        if not self.listed:
            return []
        if self._chains is None:
            beside = clients(self.stack, self._world.things)
            self._chains = [self._chain(seen, beside) for seen in self.snapshots()]
            self._tour = Chain(TOUR, tour(self.stack, self._world.things))
            self._mark([*self._chains, self._tour])
        return self._chains

    def tour(self) -> Chain | None:
        """Return the ways of the tour as they were at the last look; None before the cluster has answered."""
        return self._tour

    def snapshots(self) -> list[Snapshot]:
        """Return the same that `lab verify` judges."""
        return snapshots(self.stack, self._world.things, self._world.ec2)

    def can_snapshot(self) -> bool:
        """Return whether there is a VolumeSnapshotClass for EBS volumes."""
        return snapshot_class(self._world.things.of("VolumeSnapshotClass")) is not None

    def ec2_ids(self) -> Ec2Ids:
        """Return what to ask EC2 about: all that Kubernetes names, and what was there at the last look."""
        named, seen = ec2_ids(self.stack, self._world.things), self._world.ec2
        handles = {
            at(pv, "spec", "csi", "volumeHandle")
            for pv in self._world.things.of("PersistentVolume")
            if at(pv, "spec", "csi", "driver") == EBS_DRIVER
        }
        return Ec2Ids({*named.volumes, *handles, *seen.volumes}, {*named.instances, *seen.instances}, named.snapshots)

    def last_change(self) -> Place | None:
        """Return the link that changed last; None while nothing has."""
        return max(self.changed, key=lambda place: self.changed[place], default=None)

    def latest_changes(self) -> Mapping[str, datetime]:
        """Return when each server changed last; servers that have not are left out."""
        latest: dict[str, datetime] = {}
        for (server, _, _), when in self.changed.items():
            latest[server] = max(when, latest.get(server, when))
        return latest

    def _away(self, news: Away) -> list[str]:
        known = self.away.get(news.api)
        self.away[news.api] = news.why
        if known == news.why:
            return []
        return [Bad(say("{api} does not answer: {why}. Asking again.", api=news.api, why=news.why.rstrip(".")))]

    def _news(self, news: Listed | Changed | Ec2Told, now: datetime) -> list[str]:
        api = EC2 if isinstance(news, Ec2Told) else KUBERNETES
        said = [say("{api} answers again.", api=api)] if self.away.pop(api, None) and api in self._told else []
        if isinstance(news, Ec2Told):
            changes, self.ec2_at = self._ec2(news.seen), now
        else:
            changes = list[str]()
            mine = self._namespaces()
            for turn in self._world.take(news):
                namespace: str | None = at(turn.thing, "metadata", "namespace")
                for text in sentences(turn, self._world):
                    if namespace in mine:
                        changes.append(text)
                    elif api in self._told:
                        self._elsewhere.append((namespace, Sentence(now, text, isinstance(text, Bad))))
        said += changes if api in self._told else []
        self._told.add(api)
        return said

    def _namespaces(self) -> set[str | None]:
        settings = self.stack.settings
        return {None, DEFAULT_NAMESPACE, *settings.namespaces, *([TOUR_NAMESPACE] if settings.tour else [])}

    def _catch_up(self) -> list[Sentence]:
        """Tell of the namespaces that came to the stack: an `up` makes them before Pulumi says so."""
        mine = self._namespaces()
        said = [sentence for namespace, sentence in self._elsewhere if namespace in mine]
        others = [each for each in self._elsewhere if each[0] not in mine]
        self._elsewhere = deque(others, maxlen=MOST_SENTENCES)
        ordered = sorted([*self.timeline, *said], key=lambda sentence: sentence.when)
        self.timeline = deque(ordered, maxlen=MOST_SENTENCES)
        return said

    def _ec2(self, seen: Ec2Seen) -> list[str]:
        was, self._world.ec2 = self._world.ec2, seen
        ids = sorted(was.volumes.keys() | seen.volumes.keys())
        said = [about_volume(id_, was.volumes.get(id_), seen.volumes.get(id_), self._world) for id_ in ids]
        ids = sorted(was.instances.keys() | seen.instances.keys())
        said += [about_instance(id_, was.instances.get(id_), seen.instances.get(id_)) for id_ in ids]
        return [text for text in said if text]

    def _chain(self, seen: Snapshot, clients: Mapping[str, Link]) -> Chain:
        chain = chain_of(seen)
        if mine := clients.get(chain.server):
            chain = replace(chain, beside=[*chain.beside, mine])
        if EC2 in self._told:
            return chain
        volume = at(seen.pv, "spec", "csi", "volumeHandle") or ""
        return replace(
            chain,
            links=[
                replace(link, name=link.name or volume, state=ASKING, well=True) if link.kind in EC2_LINKS else link
                for link in chain.links
            ],
        )

    def _mark(self, chains: Sequence[Chain]) -> None:
        """Note which links are not as they were at the last look."""
        links = {place: link for chain in chains for place, link in places(chain).items()}
        for place, link in links.items():
            old = self._links.get(place)
            if old is None or self._news_at is None or ASKING in (old.state, link.state):
                continue
            if (old.name, old.state) != (link.name, link.state):
                self.changed[place] = self._news_at
        self._links = links

    def _summary(self) -> str:
        """Return the first sentence: how the lab is found."""
        chains = self.look()
        broken = [f"{chain.server} ({why})" for chain in chains if (why := broken_links(chain))]
        who = say("{count} servers", count=len(chains)) if len(chains) > 1 else chains[0].server
        if len(broken) > MOST_BROKEN:
            broken = [*broken[:MOST_BROKEN], say("{count} others", count=len(broken) - MOST_BROKEN)]
        if broken:
            return Bad(say("{who}; the chain is broken at {broken}.", who=who, broken=joined(broken)))
        if len(chains) > 1:
            return say("{who}: every chain holds, from the Deployment to the EC2 instance.", who=who)
        names = {link.kind: link.name for link in chains[0].links}
        whole = "{who}: the chain holds, from Pod {pod} to the volume {volume} on the instance {instance}."
        return say(whole, who=who, pod=names["Pod"], volume=names["EBS volume"], instance=names["EC2 instance"])


def broken_links(chain: Chain) -> str:
    """Return the kinds and states of the links that are not well; empty if the chain holds."""
    return ", ".join(f"{link.kind} {link.state}" for link in chain.links if not link.well)


def places(chain: Chain) -> Mapping[Place, Link]:
    """Return the links of a chain, and what is beside it, by their place in the picture."""
    found: dict[Place, Link] = {}
    for link in (*chain.links, *chain.beside):
        found[chain.server, link.kind, sum(place[1] == link.kind for place in found)] = link
    return found
