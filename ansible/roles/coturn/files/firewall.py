#!/usr/bin/env python3
"""Written by rtc-ops. Opens the ports of coturn in the firewall that this host uses, and closes them again.

usage: rtc-ops-firewall apply|remove|check

Which ports, stands in the one of these files that is there. Nothing else of the firewall is touched: it is neither
switched on nor off, and no rule of anybody else is changed.
"""

import json
import os
import subprocess
import sys

UFW = "/etc/ufw/applications.d/rtc-ops"
FIREWALLD = "/etc/firewalld/services/rtc-ops.xml"
NFTABLES = "/etc/coturn/firewall.rules"
COMMENT = "rtc-ops"


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def must(*command):
    code, text = run(*command)
    if code != 0:
        print("%s: %s" % (" ".join(command), text.strip().replace("\n", " ")), file=sys.stderr)
        sys.exit(1)


def ufw(action):
    if action == "check":
        return any(line.split()[-1:] == ["rtc-ops"] for line in run("ufw", "show", "added")[1].splitlines())
    if action == "apply":
        must("ufw", "app", "update", "rtc-ops")
        must("ufw", "allow", "rtc-ops")
    else:
        run("ufw", "delete", "allow", "rtc-ops")
    return True


def firewalld(action):
    if action == "check":
        return run("firewall-cmd", "--query-service=rtc-ops")[0] == 0
    if action == "apply":
        # A service counts once its file is loaded.
        must("firewall-cmd", "--reload")
        must("firewall-cmd", "--permanent", "--add-service=rtc-ops")
    else:
        run("firewall-cmd", "--permanent", "--remove-service=rtc-ops")
    must("firewall-cmd", "--reload")
    return True


def input_chains():
    """Every chain that packets to this host pass: an accept ends one of them, a drop ends all."""
    listed = json.loads(run("nft", "--json", "list", "chains")[1] or "{}").get("nftables", [])
    return [
        (chain["family"], chain["table"], chain["name"])
        for chain in (each["chain"] for each in listed if "chain" in each)
        if chain.get("hook") == "input" and chain["family"] in ("ip", "ip6", "inet")
    ]


def own_rules(chain):
    listed = json.loads(run("nft", "--json", "list", "chain", *chain)[1] or "{}").get("nftables", [])
    return [each["rule"]["handle"] for each in listed if each.get("rule", {}).get("comment") == COMMENT]


def nftables(action):
    with open(NFTABLES, encoding="utf-8") as file:
        rules = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    chains = input_chains()
    if action == "check":
        return all(len(own_rules(chain)) == len(rules) for chain in chains)
    changes = ["delete rule %s %s %s handle %d" % (*chain, handle) for chain in chains for handle in own_rules(chain)]
    if action == "apply":
        changes += ["insert rule %s %s %s %s" % (*chain, rule) for chain in chains for rule in rules]
    # All of it or nothing.
    done = subprocess.run(["nft", "-f", "-"], input="\n".join(changes).encode(), stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        print(done.stderr.decode("utf-8", "replace").strip(), file=sys.stderr)
        sys.exit(1)
    return True


def main(action):
    for path, backend in ((UFW, ufw), (FIREWALLD, firewalld), (NFTABLES, nftables)):
        if os.path.exists(path) and not backend(action):
            sys.exit(1)


main(*sys.argv[1:])
