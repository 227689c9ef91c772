"""How much memory a server takes for long bodies: a part of script/bench s3."""
from s3_peers import most_memory, run_client

MIB = 1 << 20
LONG = 1 << 30
TOGETHER = 4
GOAL = 16  # MiB of growth per upload
SECONDS = 250


def growth(peer, kind, size, connections):
    """MiB that the server grew by while as many bodies went through it, or why they did not."""
    before = most_memory(peer, anew=True)
    try:
        result = run_client(peer, kind, "long-{n}", size, connections, SECONDS, connections, connections)
    except RuntimeError as error:
        return before, None, str(error).partition(": ")[2][-100:]
    return before, most_memory(peer) - before, f"{result['rate'] * size / MIB:.0f} MiB/s"


def report(peers):
    lines = ["## Memory", "", "The most that the server was resident with while bodies went through it (VmHWM), less what it was before.", "",
             "| work | server | before MiB | growth MiB | speed | goal |", "|---|---|---:|---:|---|---|"]
    works = [("1 PUT of 1 GiB", "put", LONG, 1), ("1 GET of 1 GiB", "get", LONG, 1),
             (f"{TOGETHER} PUTs of 256 MiB at a time", "put", LONG // 4, TOGETHER),
             (f"{TOGETHER} GETs of 256 MiB at a time", "get", LONG // 4, TOGETHER)]
    for name, kind, size, connections in works:
        for peer in peers:
            before, grown, words = growth(peer, kind, size, connections)
            goal = ""
            if grown is not None and peer.name == "flowstore":
                goal = f"{GOAL} for each: {'reached' if grown <= GOAL * connections else 'missed'}"
            lines.append(f"| {name} | {peer.name} | {before:.0f} | {'' if grown is None else f'{grown:.1f}'} | {words} | {goal} |")
            print(lines[-1], flush=True)
            if kind == "get":
                peer.store.drop_garbage()
    return "\n".join(lines) + "\n"
