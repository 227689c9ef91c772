"""Proxies that know nothing of what they pass on, and make a service look sick to its clients."""
import asyncio
import contextlib
import socket
import ssl
import struct
import threading

from flowstore import run_all

FAULTS = {
    "refuse": "nobody listens, and the connections that there were are reset",
    "reset": "every connection is taken and reset",
    "reset_in_answer": "every connection is reset in the middle of an answer",
    "garble": "the second half of everything is missing in answers",
    "mute": "connections are taken and requests carried out, and nothing is ever said",
    "trickle": "answers come at one byte a second",
    "black_hole": "packets vanish, both ways, and no connection of before ever works again",
    "flapping": "refuse, and all is well, in turns of a second",
    "latency": "each piece of an answer comes LATENCY later",
}
LATENCY = 0.3  # seconds
BACKLOG = 1024
PIECE = 65536


class Background:
    """An event loop on a thread of its own, on which proxies, servers and clients of a test live."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work):
        """Runs a coroutine there, and returns what it does."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def stop(self):
        self.run(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _cancel_all(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class Pair:
    """A client's connection, and the one to the server that belongs to it, once there is one."""

    def __init__(self, client):
        self.sockets = [client]
        self.task = None
        self.is_dead = False  # whatever comes is swallowed, for good

    def reset(self):
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.task.cancel()


class TcpProxy:
    """Before a port of the loopback address. Its methods may be called from any other thread than that of
    `background`."""

    def __init__(self, background, target, tls=None):
        """`tls`: an ssl.SSLContext of a server, with which it ends the TLS of its clients."""
        self.background, self.target, self.tls = background, target, tls
        self.port = run_all.free_ports(1)  # which stays its own while nobody listens
        self.fault = None
        self.pairs = set()
        self.fillers = []
        self.flapping = None
        background.run(self._listen())

    def break_down(self, fault):
        """From now on, for new connections and for those that there are."""
        if fault not in FAULTS:
            raise ValueError(f"no such fault: {fault}")
        self.background.run(self._begin(fault))

    def heal(self):
        """New connections work; those that lost a byte do not, and nobody is told."""
        self.background.run(self._end())

    def drop(self):
        """Resets every connection, and takes new ones."""
        self.background.run(self._reset_all())

    # ---- listening
    async def _listen(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
        self.listener.setblocking(False)
        self.background.loop.add_reader(self.listener, self._accept)

    async def _close(self):
        if self.listener.fileno() >= 0:
            self.background.loop.remove_reader(self.listener)
            self.listener.close()
        await self._reset_all()

    def _accept(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                pair = Pair(self.listener.accept()[0])
                self.pairs.add(pair)
                pair.task = asyncio.ensure_future(self._serve(pair))

    async def _reset_all(self):
        pairs = list(self.pairs)
        for pair in pairs:
            pair.reset()
        await asyncio.gather(*(pair.task for pair in pairs), return_exceptions=True)

    # ---- faults as a whole
    async def _begin(self, fault):
        await self._forget_dead()
        self.fault = fault
        if fault == "flapping":
            self.flapping = asyncio.ensure_future(self._flap())
        elif fault == "refuse":
            await self._close()
        elif fault == "reset":
            await self._reset_all()
        elif fault == "black_hole":
            await self._take_no_packets()

    async def _end(self):
        fault, self.fault = self.fault, None
        if self.flapping:
            self.flapping.cancel()
            await asyncio.gather(self.flapping, return_exceptions=True)
            self.flapping = None
        if self.listener.fileno() < 0:
            await self._listen()
        elif fault == "black_hole":
            self.listener.listen(BACKLOG)
            for filler in self.fillers:
                filler.close()
            self.fillers = []
            self.background.loop.add_reader(self.listener, self._accept)

    async def _flap(self):
        while True:
            await self._close()
            await asyncio.sleep(1)
            await self._listen()
            await asyncio.sleep(1)

    async def _take_no_packets(self):
        """Linux drops the packets of those who want to connect to a listener whose line is full."""
        self.background.loop.remove_reader(self.listener)
        for pair in self.pairs:
            pair.is_dead = True
        self.listener.listen(0)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    async def _forget_dead(self):
        """What the server still holds of earlier faults."""
        dead = [pair for pair in self.pairs if pair.is_dead]
        for pair in dead:
            pair.task.cancel()
        await asyncio.gather(*(pair.task for pair in dead), return_exceptions=True)

    # ---- one connection
    async def _serve(self, pair):
        try:
            with contextlib.suppress(OSError, ssl.SSLError):
                if self.fault == "reset":
                    pair.reset()
                elif self.fault == "mute":
                    await asyncio.get_running_loop().create_future()
                elif self.tls:
                    await self._serve_tls(pair)
                else:
                    await self._serve_clear(pair)
        finally:
            self.pairs.discard(pair)
            for one in pair.sockets:
                one.close()

    async def _serve_clear(self, pair):
        loop, client = self.background.loop, pair.sockets[0]
        server = socket.socket()
        pair.sockets.append(server)
        for one in pair.sockets:
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(server, ("127.0.0.1", self.target))

        def reading(one):
            return lambda: loop.sock_recv(one, PIECE)

        def writing(one):
            return lambda piece: loop.sock_sendall(one, piece)

        await self._both_ways(pair, (reading(client), writing(server)), (reading(server), writing(client)))

    async def _serve_tls(self, pair):
        client, loop = pair.sockets.pop(), self.background.loop
        client.setblocking(False)
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, client, ssl=self.tls)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        to_server = None
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
            await self._both_ways(pair, (lambda: reader.read(PIECE), self._draining(to_server)),
                                  (lambda: from_server.read(PIECE), self._draining(writer)))
        finally:
            for one in (writer, to_server):
                if one:
                    one.transport.abort()

    @staticmethod
    def _draining(writer):
        async def write(piece):
            writer.write(piece)
            await writer.drain()
        return write

    async def _both_ways(self, pair, there, back):
        """Until either side has ended; of a dead pair neither is told."""
        ways = [asyncio.ensure_future(self._pass(pair, *there, is_answer=False)),
                asyncio.ensure_future(self._pass(pair, *back, is_answer=True))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if pair.is_dead:
                await asyncio.get_running_loop().create_future()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(self, pair, read, write, is_answer):
        last = asyncio.get_running_loop().create_future()
        last.set_result(None)
        with contextlib.suppress(OSError):
            while piece := await read():
                if self.fault == "mute" and is_answer:
                    pair.is_dead = True
                if pair.is_dead:
                    continue
                if is_answer and self.fault == "latency":
                    # Later, each as much as the others: they are under way at the same time.
                    last = asyncio.ensure_future(self._send_later(write, piece, last))
                else:
                    await last
                    await self._send(pair, write, piece, is_answer)
            await last

    @staticmethod
    async def _send_later(write, piece, last):
        await asyncio.sleep(LATENCY)
        await last
        with contextlib.suppress(OSError):
            await write(piece)

    async def _send(self, pair, write, piece, is_answer):
        if is_answer and self.fault == "reset_in_answer":
            pair.is_dead = True  # what comes before the end of the task is not for the client
            await write(piece[:len(piece) // 2])
            return pair.reset()
        if is_answer and self.fault == "garble":
            return await write(piece[:len(piece) // 2])
        while is_answer and self.fault == "trickle" and piece:
            await write(piece[:1])
            piece = piece[1:]
            await asyncio.sleep(1)
        await write(piece)


def server_tls(certificate, key):
    """What a TcpProxy shows to its clients; load_cert_chain() changes it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    # A resumed session shows no certificate.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context
