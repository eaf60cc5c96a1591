#!/usr/bin/env python3
"""Written by rtc-ops. Opens TCP port 80 in the firewall of this host while certbot answers there, and closes it again.

usage: rtc-ops-acme-port open|close

What was open before stays open: only what `open` has noted is taken back.
"""

import json
import os
import subprocess
import sys

NOTE = "/run/rtc-ops-acme-port.json"
COMMENT = "rtc-ops: certbot answers here"


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def succeeds(*command):
    try:
        return run(*command).returncode == 0
    except FileNotFoundError:
        return False


def open_port():
    """Does what is needed, and gives what is to be undone."""
    try:
        with open("/etc/ufw/ufw.conf", encoding="utf-8") as file:
            ufw = "ENABLED=yes" in file.read()
    except FileNotFoundError:
        ufw = False
    if ufw:
        shown = run("ufw", "show", "added").stdout.decode()
        if " 80/tcp" in shown or " 80\n" in shown:
            return None
        run("ufw", "allow", "80/tcp", "comment", COMMENT)
        return {"backend": "ufw"}
    if succeeds("firewall-cmd", "--state"):
        if succeeds("firewall-cmd", "--query-port=80/tcp") or succeeds("firewall-cmd", "--query-service=http"):
            return None
        run("firewall-cmd", "--add-port=80/tcp")
        return {"backend": "firewalld"}
    for table in input_chains():
        run("nft", "insert", "rule", *table, "tcp", "dport", "80", "accept", "comment", '"%s"' % COMMENT)
    return {"backend": "nftables"}


def input_chains():
    """Every chain that packets to this host pass."""
    try:
        listed = json.loads(run("nft", "--json", "list", "chains").stdout or "{}")
    except (FileNotFoundError, ValueError):
        return []
    chains = (each["chain"] for each in listed.get("nftables", []) if "chain" in each)
    return [
        (chain["family"], chain["table"], chain["name"])
        for chain in chains
        if chain.get("hook") == "input" and chain["family"] in ("ip", "ip6", "inet")
    ]


def close_port(done):
    if done["backend"] == "ufw":
        run("ufw", "delete", "allow", "80/tcp")
    elif done["backend"] == "firewalld":
        run("firewall-cmd", "--remove-port=80/tcp")
    else:
        for family, table, chain in input_chains():
            listed = json.loads(run("nft", "--json", "list", "chain", family, table, chain).stdout or "{}")
            for rule in (each["rule"] for each in listed.get("nftables", []) if "rule" in each):
                if rule.get("comment") == COMMENT:
                    run("nft", "delete", "rule", family, table, chain, "handle", str(rule["handle"]))


def main(action):
    if action == "open":
        done = open_port()
        if done is not None:
            with open(NOTE, "w", encoding="utf-8") as file:
                json.dump(done, file)
    elif os.path.exists(NOTE):
        with open(NOTE, encoding="utf-8") as file:
            close_port(json.load(file))
        os.remove(NOTE)


main(*sys.argv[1:])
