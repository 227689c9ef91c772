"""What may be stored, after what was answered: the memory of a client that trusts nobody."""

NOTHING = None  # there is no such file
REFUSED = {400, 404, 412, 413, 507}  # and nothing was done


class Known:
    """The files of one server, each written by one client at a time.

    A change that was answered with 200 has happened. One that was refused has not. Anything else, an
    answer of 503 or none at all, may have happened, once and completely.
    """

    def __init__(self, server):
        self.server = server
        self.possible = {}  # the contents that each file may have

    def replaced(self, name, body, reply):
        self._changed(name, reply, lambda old: body)

    def appended(self, name, body, reply):
        self._changed(name, reply, lambda old: (old or b"") + body)

    def removed(self, name, reply):
        self._changed(name, reply, lambda old: NOTHING)

    def _changed(self, name, reply, change):
        before = self.possible.get(name, {NOTHING})
        if reply.status in REFUSED:
            return
        after = {change(old) for old in before}
        self.possible[name] = after if reply.status == 200 else before | after

    def problem(self, name, reads=True):
        """What is wrong with this file where it is stored, or, with `reads`, with what the server says of
        it; '' if nothing is. From now on it has what was found."""
        stored = self.server.stored(name)
        possible = self.possible.get(name, {NOTHING})
        if stored not in possible:
            return f"{name}: stored is {shown(stored)}, and not {' or '.join(map(shown, possible))}"
        self.possible[name] = {stored}
        if not reads:
            return ""
        reply = self.server.read(name)
        if stored is NOTHING:
            return "" if reply.status == 404 else f"{name}: is not there and read as {reply}"
        if reply.status != 200 or reply.body != stored:
            return f"{name}: has {shown(stored)} and is read as {reply.status} {shown(reply.body)}"
        return ""

    def problems(self):
        """What is wrong with any file, and files that nobody has written."""
        found = [problem for name in sorted(self.possible) if (problem := self.problem(name))]
        strangers = set(self.server.sizes()) - set(self.possible)
        return found + [f"{name}: nobody has written it" for name in sorted(strangers)]


def shown(content):
    if content is NOTHING:
        return "nothing"
    return f"{len(content)} bytes {content[:20]!r}" + ("" if len(content) <= 20 else f"...{content[-20:]!r}")
