"""Waits until coturn serves as it should, and says what is wrong where it does not.

usage: python3 serving.py LISTENERS LOG

LISTENERS is a JSON list of {"protocol": "udp", "port": 3478}; LOG the file that it logs to, empty for none. Right means: the
service runs and stays, each of these ports is held by it, it writes to LOG, and its log has no warning since it started.
"""

import glob
import json
import os
import re
import subprocess
import sys
import time

WAIT_SECONDS = 10

# What coturn says of itself at every start and that is no fault, and what it says of clients that it lets not in.
CALM = re.compile(
    r"check_stun_auth: |session[: ]\s*\d+|(?i:cannot find credentials of)|"
    r"(?:Options: |NO EXPLICIT LISTENER ADDRESS|NO EXPLICIT RELAY ADDRESS)|Cannot find config file: turnserver.conf|"
    # Its default names, which it looks for also where TLS is off.
    r"file not found or not readable: /+turn_server_(?:cert|pkey)\.pem"
)


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=False)
    return done.stdout.decode("utf-8", "replace")


def shown():
    names = ("ActiveState", "SubState", "MainPID", "NRestarts", "InvocationID")
    text = output("systemctl", "show", "coturn.service", *("--property=" + name for name in names))
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def holders(protocol, port):
    """The processes that listen on a port."""
    option = "-Hlunp" if protocol == "udp" else "-Hltnp"
    return set(re.findall(r"pid=(\d+)", output("ss", option, "sport = :%d" % port)))


def missing(listeners, pid):
    return [each for each in listeners if pid not in holders(each["protocol"], each["port"])]


def is_open(log, pid):
    """
    Whether coturn writes there: what it cannot write, it writes elsewhere, /var/tmp for one. After a rotation it writes to the
    old file until it has something to write.
    """
    files = (os.path.realpath(log), os.path.realpath(log) + ".1")
    return log == "" or any(os.path.realpath(each) in files for each in glob.glob("/proc/%s/fd/*" % pid))


def written_to(log):
    """What it has written to its file since it opened that, at its start or after a rotation."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    return lines[max([at for at, line in enumerate(lines) if ": log file opened: " in line], default=0):]


def log_of(invocation, log):
    lines = output("journalctl", "--quiet", "--output=cat", "_SYSTEMD_INVOCATION_ID=" + invocation).splitlines()
    return lines + written_to(log)


def last_words(log):
    lines = output("journalctl", "--quiet", "--unit=coturn", "--output=cat", "--lines=200").splitlines() + written_to(log)
    told = [line for line in lines if re.search(r"ERROR|FATAL|[Cc]annot|[Ff]ailed", line)]
    return (told or lines or ["its log is empty"])[-1]


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)


def tell(state, lacking, log):
    """Says why it does not serve: first by a port that somebody else has."""
    for one in lacking:
        option = "-Hlunp" if one["protocol"] == "udp" else "-Hltnp"
        found = re.findall(r'\("([^"]+)",pid=(\d+)', output("ss", option, "sport = :%d" % one["port"]))
        others = [name for name, _ in found if name != "turnserver"]
        if others:
            fail("%s port %d is held by %s" % (one["protocol"], one["port"], others[0]))
    if state.get("ActiveState") != "active":
        fail("coturn does not run: %s" % last_words(log))
    if lacking:
        fail("coturn does not listen on %(protocol)s port %(port)d: " % lacking[0] + last_words(log))
    fail("coturn does not write its log to %s: %s" % (log, last_words("")))


def main(text, log):
    listeners = json.loads(text)
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        state = shown()
        lacking = missing(listeners, state.get("MainPID", "0"))
        if state.get("ActiveState") == "active" and not lacking and is_open(log, state["MainPID"]):
            break
        if time.monotonic() > deadline:
            tell(state, lacking, log)
        time.sleep(0.1)
    warnings = [
        line for line in log_of(state["InvocationID"], log)
        if re.search(r"WARNING|ERROR|Unknown argument|Bad configuration", line) and not CALM.search(line)
    ]
    print(json.dumps({"warnings": warnings[:10]}))


main(*sys.argv[1:])
