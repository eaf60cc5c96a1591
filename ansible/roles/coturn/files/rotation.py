"""Changes the shared secrets of a coturn that runs, and nothing else of it. They are replaced in the generations that are
kept, too: what somebody goes back to later accepts the secrets of today.

usage: python3 rotation.py replace STATE_DIRECTORY CONFIGURATION TTL_SECONDS FORCE
       python3 rotation.py undo STATE_DIRECTORY

`replace` takes the secrets of CONFIGURATION, a turnserver.conf that differs from the present one in nothing else. A secret
that goes must have been superseded TTL_SECONDS ago, unless FORCE is "true": until then there are credentials made with it.
`undo` puts back what the last `replace` has replaced. Prints JSON with "changed".
"""

import datetime
import hashlib
import json
import os
import re
import sys

CONFIG = "/etc/turnserver.conf"
DROP_IN = "/etc/systemd/system/coturn.service.d/rtc-ops-secrets.conf"
BEFORE = "/run/rtc-ops-before-rotation.json"
# Between the last host that accepts a new secret and the first credential that is made with it.
MARGIN_SECONDS = 300
FORMAT = "%Y-%m-%dT%H:%M:%SZ"
LINE = re.compile(r"^static-auth-secret=(.*)$", re.M)


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    """Replaces a file as a whole, with the owner and the mode that it has."""
    status = os.stat(path)
    draft = path + ".rtc-ops-draft"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chown(draft, status.st_uid, status.st_gid)
    os.chmod(draft, status.st_mode & 0o7777)
    os.replace(draft, path)


def with_secrets(text, secrets):
    """A configuration with other secrets, in the place where it has its own."""
    first = LINE.search(text)
    if first is None:
        return text
    lines = "".join("static-auth-secret=%s\n" % secret for secret in secrets)
    rest = re.sub(r"^static-auth-secret=.*\n", "", text[first.start():], flags=re.M)
    return text[: first.start()] + lines + rest


def refuse_early(gone, rotation, is_forced):
    if not gone or is_forced:
        return
    if rotation is None:
        fail("a secret would go, and it is not known since when another one is in use")
    at = datetime.datetime.strptime(rotation["at"], FORMAT).replace(tzinfo=datetime.timezone.utc)
    due = at + datetime.timedelta(seconds=rotation["ttlSeconds"] + MARGIN_SECONDS)
    if datetime.datetime.now(datetime.timezone.utc) < due:
        fail("until %s there are credentials made with the secret that would go" % due.strftime(FORMAT))


def change(directory, present, secrets, rotation):
    """The configuration, what is kept of it, and what is noted."""
    file = os.path.join(directory, "state.json")
    state = json.loads(read(file))
    for generation in state["generations"]:
        kept = generation["files"].get(CONFIG)
        # Generation 0 is the host as it was found.
        if generation["number"] == 0 or kept is None:
            continue
        copy = os.path.join(directory, "generations", str(generation["number"]), kept["copy"])
        text = with_secrets(read(copy), secrets)
        write(copy, text)
        kept["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    state["rotation"] = rotation
    write(file, json.dumps(state, indent=2) + "\n")
    write(CONFIG, with_secrets(present, secrets))


def replace(directory, configuration, ttl_seconds, force):
    file = os.path.join(directory, "state.json")
    if not os.path.exists(file) or not os.path.exists(CONFIG):
        fail("nothing is deployed here")
    if not os.path.exists(DROP_IN):
        fail("coturn reads its secrets only when it starts here")
    present, wanted = read(CONFIG), read(configuration)
    secrets, before = LINE.findall(wanted), LINE.findall(present)
    if not secrets or with_secrets(present, secrets) != wanted:
        fail("the configuration differs in more than its secrets: deploy it first")
    rotation = json.loads(read(file)).get("rotation")
    refuse_early(set(before) - set(secrets), rotation, force == "true")
    with open(os.open(BEFORE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as kept:
        json.dump({"secrets": before, "rotation": rotation}, kept)
    at = datetime.datetime.now(datetime.timezone.utc).strftime(FORMAT)
    begun = {"at": at, "ttlSeconds": int(ttl_seconds)} if len(secrets) > 1 else None
    change(directory, present, secrets, begun)
    return {"changed": before != secrets or rotation != begun}


def undo(directory):
    if not os.path.exists(BEFORE):
        return {"changed": False}
    before = json.loads(read(BEFORE))
    change(directory, read(CONFIG), before["secrets"], before["rotation"])
    os.remove(BEFORE)
    return {"changed": True}


def main(action, *arguments):
    print(json.dumps({"replace": replace, "undo": undo}[action](*arguments)))


main(*sys.argv[1:])
