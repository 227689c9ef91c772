"""What a write costs in a project that holds much already: flowstore beside itself."""
from client import Client
from context import DATABASES, document, start, token, write_scope, wrk
from peers import FLOWSTORE
from postgres import Postgres
from rounds import Cell

ABOUT = ("One key of a scope of 1 KiB is set, by 16 clients in one project, under a quota. The project holds nothing else, 1,000 scopes of "
         "1 KiB, or 100 MiB in scopes of 512 KiB. *cost* is the time per write.")
CLIENTS = 16
LONG = 512 << 10
# the work's name, the project, how many scopes besides the one that is written and of which length
HOLDINGS = [("1 scope", "one", 0, 0), ("1,000 scopes", "many", 999, 0), ("100 MiB", "long", (100 << 20) // LONG, LONG)]


def fill(server, project, count, size):
    filled = document() if not size else b'{"value":"' + b"x" * (size - 12) + b'"}'
    with Client(server.port, token(project)) as client:
        write_scope(client, server, project, "flow0", document())
        for number in range(1, count + 1):
            write_scope(client, server, project, f"other{number}", filled)


def cells(stage):
    postgres = stage.keep(Postgres(stage.folder, stage.log))
    for title, database in DATABASES.items():
        server = start(stage, "flowstore", FLOWSTORE, {"type": "sqlite"} if database == "sqlite" else postgres.database("flowstore"))
        for name, project, count, size in HOLDINGS:
            fill(server, f"{project}1", count, size)
            base = None if count == 0 else f"set key beside {HOLDINGS[0][0]}, {title}"

            def run(peer, _, project=project):
                row = wrk(peer, "set", 1024, CLIENTS, stage.options.seconds, projects=1, PROJECT=project, SCOPES="1")
                return {**row, "cost": 1 / row["value"]}
            yield Cell(f"set key beside {name}, {title}", [server], run, base=base, is_writing=True)
