"""Makes the kernel follow the settings that a deployment has in a file of its own, and lets go of those that are in it no more.

usage: python3 kernel.py STATE_DIRECTORY FILE

FILE is one for sysctl.d(5). A value is raised where it is lower, and never lowered. What it was before is noted, and put back
once FILE has it no more, unless somebody has changed it since. Prints JSON with "changed", and as "refused" what the kernel
does not let this host change, as in a container.
"""

import json
import os
import re
import sys


def path_of(name):
    return "/proc/sys/" + name.replace(".", "/")


def value_of(name):
    try:
        with open(path_of(name), encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def can_set(name, value):
    try:
        with open(path_of(name), "w", encoding="ascii") as file:
            file.write("%d\n" % value)
    except OSError:
        return False
    return value_of(name) == value


def settings(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return {name: int(value) for name, value in re.findall(r"^([\w.]+) = (\d+)$", file.read(), re.M)}


def save(file, state):
    draft = file + ".draft"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(state, out, indent=2)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(draft, file)


def main(directory, path):
    file = os.path.join(directory, "state.json")
    with open(file, encoding="utf-8") as kept:
        state = json.load(kept)
    raised, wanted = state.get("kernel", {}), settings(path)
    noted = dict(raised)
    lower = {name: value for name, value in wanted.items() if (value_of(name) or 0) < value}
    for name, value in lower.items():
        noted[name] = {"before": raised[name]["before"] if name in raised else value_of(name), "now": value}
    gone = {name: each["before"] for name, each in raised.items() if name not in wanted and value_of(name) == each["now"]}
    if noted != raised:
        save(file, dict(state, kernel=noted))
    refused = [name for name, value in {**gone, **lower}.items() if not can_set(name, value)]
    left = {name: each for name, each in noted.items() if name in wanted and name not in refused}
    if left != noted:
        try:
            save(file, dict(state, kernel=left))
        except OSError:
            # A full disk. A value that is no longer the one that was set is put back by nobody a second time.
            pass
    print(json.dumps({"changed": len(refused) < len(gone) + len(lower), "refused": refused}))


main(*sys.argv[1:])
