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


class Ruleset:
    """The rules that are loaded (libnftables-json(5))."""

    def __init__(self):
        listed = json.loads(run("nft", "--json", "list", "ruleset")[1] or "{}").get("nftables", [])
        self.chains = {self.place(each["chain"]): each["chain"] for each in listed if "chain" in each}
        self.rules = {place: [] for place in self.chains}
        for rule in (each["rule"] for each in listed if "rule" in each):
            self.rules[rule["family"], rule["table"], rule["chain"]].append(rule)

    @staticmethod
    def place(chain):
        return chain["family"], chain["table"], chain["name"]

    def input_chains(self):
        """Every chain that packets to this host enter first: an accept ends one of them, a drop ends all."""
        return [
            place for place, chain in self.chains.items()
            if chain.get("hook") == "input" and chain["family"] in ("ip", "ip6", "inet")
        ]

    def own_rules(self, place):
        return [rule for rule in self.rules[place] if rule.get("comment") == COMMENT]

    def needs_rules(self, place):
        """Whether a chain drops what it does not know. One that only bans some addresses is left alone."""
        return self.chains[place].get("policy") == "drop" or self.may_drop(place, set())

    def may_drop(self, place, seen):
        if place in seen or place not in self.rules:
            return False
        seen.add(place)
        return any(self.is_end(rule, seen) for rule in self.rules[place] if rule.get("comment") != COMMENT)

    def first_end(self, place):
        """The first rule by which a packet to a port of ours, from wherever, may leave the chain unaccepted; None without one."""
        leaving = ("return", "goto") if self.chains[place].get("policy") == "drop" else ()
        for rule in self.rules[place]:
            if rule.get("comment") == COMMENT:
                continue
            if self.is_end(rule, {place}) or not is_narrow(rule) and any(name in each for each in rule["expr"] for name in leaving):
                return rule["handle"]
        return None

    def is_end(self, rule, seen):
        if is_narrow(rule):
            return False
        for each in rule["expr"]:
            # What iptables has put there is not told in full; a rule without a verdict that nft knows may end in one of it.
            if any(name in each for name in ("drop", "reject", "queue")) or "xt" in each and not has_verdict(rule):
                return True
            for chain in targets(each):
                if chain is None or self.may_drop((rule["family"], rule["table"], chain), set(seen)):
                    return True
        return False


def has_verdict(rule):
    return any(name in each for each in rule["expr"] for name in ("accept", "jump", "goto", "return", "vmap", "drop", "reject"))


def targets(statement):
    """The chains that a statement leads to, and None for a drop or for what is not known."""
    for name in ("jump", "goto"):
        if name in statement:
            return [statement[name]["target"]]
    if "vmap" not in statement:
        return []
    data = statement["vmap"]["data"]
    if not isinstance(data, dict):
        return [None]
    found = []
    for _, verdict in data["set"]:
        found += [None] if "drop" in verdict else targets(verdict)
    return found


def is_narrow(rule):
    """Whether a rule is about some senders, about packets that belong to no new connection, or about too many of them."""
    for each in rule["expr"]:
        if each.get("limit", {}).get("inv") or "vmap" in each and is_about_some(each["vmap"]["key"], "==", None):
            return True
        match = each.get("match")
        if match is not None and is_about_some(match["left"], match["op"], match["right"]):
            return True
    return False


def is_about_some(left, operator, right):
    if not isinstance(left, dict) or operator not in ("==", "in"):
        return False
    if left.get("ct", {}).get("key") == "state":
        return "new" not in json.dumps(right)
    return left.get("payload", {}).get("field") == "saddr" or left.get("meta", {}).get("key") == "pkttype"


def nftables(action):
    with open(NFTABLES, encoding="utf-8") as file:
        rules = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    ruleset = Ruleset()
    chains = ruleset.input_chains()
    if action == "check":
        return all(len(ruleset.own_rules(each)) == len(rules) * ruleset.needs_rules(each) for each in chains)
    changes = [
        "delete rule %s %s %s handle %d" % (*chain, rule["handle"]) for chain in chains for rule in ruleset.own_rules(chain)
    ]
    for chain in chains if action == "apply" else []:
        if ruleset.needs_rules(chain):
            # After what the owner bans or limits, and before what may drop the rest.
            handle = ruleset.first_end(chain)
            place = "add rule %s %s %s" % chain if handle is None else "insert rule %s %s %s handle %d" % (*chain, handle)
            changes += ["%s %s" % (place, rule) for rule in rules]
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
