"""Says, as JSON, what matters for a deployment of coturn on this host. Changes nothing.

usage: python3 facts.py STATE_DIRECTORY KEY STUN PATH...

STUN is a JSON list of {"host": , "port": }: servers that are asked, in turn, from where this host seems to come.

The text of each PATH is given without its secrets: each is replaced by a digest under KEY, which is made for this one
run. So two secrets can be compared, and none can be guessed from what is printed.
"""

import glob
import grp
import hashlib
import hmac
import json
import os
import platform
import pwd
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import time

CONFIG = "/etc/turnserver.conf"

# Files that are a secret as a whole.
SECRET_FILES = ("/etc/letsencrypt/rtc-ops-dns.ini",)

# The options of turnserver.conf whose values are secrets, or have one in them.
SECRET_OPTIONS = (
    "static-auth-secret", "cli-password", "pkey-pwd", "stateless-nonce-secret", "psql-userdb", "mysql-userdb",
    "mongo-userdb", "redis-userdb", "redis-statsdb", "sql-userdb", "user", "web-admin-password",
)
SECRET_LINE = re.compile(rb"^(\s*#?\s*(?:%s)\s*[=\s]\s*)(\S.*?)\s*$" % b"|".join(o.encode() for o in SECRET_OPTIONS))

KERNEL_SETTINGS = ("net.core.rmem_max", "net.core.wmem_max", "net.netfilter.nf_conntrack_max")

MANAGERS = (b"Ansible managed", b"Puppet", b"SaltStack", b"Chef Infra", b"cfengine")


def output(*command):
    """What a program prints; None when it is not there or fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def digest(secret, key):
    return b"[secret " + hmac.new(key, secret, hashlib.sha256).hexdigest()[:8].encode() + b"]"


def without_secrets(path, content, key):
    if path in SECRET_FILES:
        return digest(content, key).decode()

    def line(text):
        match = SECRET_LINE.match(text)
        if match is None:
            return text
        return match.group(1) + digest(match.group(2), key)

    return b"\n".join(line(text) for text in content.split(b"\n")).decode("utf-8", "replace")


def owner(status):
    try:
        user = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        user = str(status.st_uid)
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    return user, group


def file_facts(path, key):
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    user, group = owner(status)
    return {
        "owner": user,
        "group": group,
        "mode": format(stat.S_IMODE(status.st_mode), "04o"),
        "text": without_secrets(path, read(path) or b"", key),
    }


def manager(installed):
    """Who wrote the configuration: rtc-ops, package, hand, another tool, or nobody."""
    content = read(CONFIG)
    if content is None:
        return None
    if b"written by rtc-ops" in content:
        return "rtc-ops"
    for mark in MANAGERS:
        if mark in content:
            return mark.decode().split()[0]
    conffiles = output("dpkg-query", "--show", "--showformat=${Conffiles}\n", "coturn") if installed else None
    shipped = re.search(re.escape(CONFIG) + r" ([0-9a-f]{32})", conffiles or "")
    if shipped and hashlib.md5(content).hexdigest() == shipped.group(1):
        return "package"
    return "hand"


def package(name):
    text = output("apt-cache", "policy", name) or ""
    found = dict(re.findall(r"^  (Installed|Candidate): (\S+)", text, re.M))
    return {key.lower(): None if found.get(key, "(none)") == "(none)" else found[key] for key in ("Installed", "Candidate")}


def service():
    names = ("LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID", "NRestarts")
    text = output("systemctl", "show", "coturn.service", *("--property=" + name for name in names)) or ""
    shown = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {
        "load": shown.get("LoadState") or None,
        "active": shown.get("ActiveState") or None,
        "enabled": shown.get("UnitFileState") or None,
        "pid": int(shown.get("MainPID") or 0) or None,
        "restarts": int(shown.get("NRestarts") or 0),
    }


def listeners():
    """Sockets that somebody listens on; who it is only as far as the kernel tells."""
    found = []
    for protocol, option in (("tcp", "-Hltnp"), ("udp", "-Hlunp")):
        for line in (output("ss", option) or "").splitlines():
            fields = line.split()
            if len(fields) < 4:
                continue
            address, _, port = fields[3].rpartition(":")
            users = re.findall(r'\("([^"]+)",pid=(\d+)', line)
            entry = {
                "protocol": protocol,
                "address": address.split("%")[0].strip("[]"),
                "port": int(port),
                "process": users[0][0] if users else None,
                "pid": int(users[0][1]) if users else None,
            }
            if entry not in found:
                found.append(entry)
    return found


def firewall():
    ufw = read("/etc/ufw/ufw.conf") or b""
    firewalld = shutil.which("firewall-cmd") is not None and output("systemctl", "is-active", "firewalld") is not None
    nftables = output("systemctl", "is-enabled", "nftables") is not None
    backend = "none"
    if shutil.which("ufw") and re.search(rb"^ENABLED=yes", ufw, re.M):
        backend = "ufw"
    elif firewalld:
        backend = "firewalld"
    elif nftables or "hook input" in (output("nft", "list", "ruleset") or ""):
        backend = "nftables"
    program = "/usr/local/sbin/rtc-ops-firewall"
    applied = output(program, "check") is not None if os.path.exists(program) else None
    return {"backend": backend, "applied": applied}


def kernel():
    """What settings of the kernel are, and whether this host may change them; none for those that it does not see."""
    found = {}
    for name in KERNEL_SETTINGS:
        path = "/proc/sys/" + name.replace(".", "/")
        text = read(path)
        if text is not None:
            found[name] = {"value": int(text), "writable": os.access(path, os.W_OK)}
    return found


def secrets():
    """Whether coturn takes the secrets of its configuration; None where it reads them there itself."""
    program = "/usr/local/sbin/rtc-ops-secrets"
    text = output(program, "check") if os.path.exists(program) else None
    return None if text is None else json.loads(text)


def addresses():
    found = []
    for interface in json.loads(output("ip", "-json", "address", "show", "up") or "[]"):
        for info in interface.get("addr_info", []):
            if info.get("scope") == "global":
                found.append(info["local"])
    return found


def mapped_address(packet, transaction):
    """The XOR-MAPPED-ADDRESS (RFC 8489 14.2) of a response to this request; None where it has none."""
    if len(packet) < 20 or packet[:2] != b"\x01\x01" or packet[4:20] != transaction:
        return None
    at = 20
    while at + 4 <= len(packet):
        kind, length = struct.unpack_from("!HH", packet, at)
        value = packet[at + 4 : at + 4 + length]
        if kind == 0x0020 and length in (8, 20):
            address = bytes(a ^ b for a, b in zip(value[4:], transaction))
            return socket.inet_ntop(socket.AF_INET if length == 8 else socket.AF_INET6, address)
        at += 4 + (length + 3) // 4 * 4
    return None


def sighting(family, server):
    """From which address this host speaks to a STUN server, and as which that knows it."""
    seen = {"family": family, "server": "%(host)s:%(port)d" % server, "local": None, "mapped": None}
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    try:
        found = socket.getaddrinfo(server["host"], server["port"], kind, socket.SOCK_DGRAM)
        with socket.socket(kind, socket.SOCK_DGRAM) as asking:
            asking.connect(found[0][4])
            transaction = b"\x21\x12\xa4\x42" + os.urandom(12)
            for wait in (0.3, 0.6, 1.2):
                asking.settimeout(wait)
                asking.send(b"\x00\x01\x00\x00" + transaction)
                try:
                    mapped = mapped_address(asking.recv(2048), transaction)
                except socket.timeout:
                    continue
                if mapped is not None:
                    return dict(seen, local=asking.getsockname()[0].split("%")[0], mapped=mapped)
    except OSError:
        pass
    return seen


def sightings(servers):
    found = []
    for family in (4, 6):
        for server in servers:
            found.append(sighting(family, server))
            if found[-1]["mapped"] is not None:
                break
    return found


def system():
    fields = dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)"?$', (read("/etc/os-release") or b"").decode(), re.M))
    return {
        "id": fields.get("ID", ""),
        "like": fields.get("ID_LIKE", "").split(),
        "version": fields.get("VERSION_ID", ""),
        "name": fields.get("PRETTY_NAME", platform.platform()),
    }


def certificates():
    """The certificates of certbot, each with its names and its end."""
    found = []
    for path in sorted(glob.glob("/etc/letsencrypt/live/*/cert.pem")):
        text = output("openssl", "x509", "-noout", "-serial", "-enddate", "-ext", "subjectAltName", "-in", path) or ""
        found.append({
            "lineage": os.path.basename(os.path.dirname(path)),
            "serial": next(iter(re.findall(r"serial=(\w+)", text)), None),
            "notAfter": next(iter(re.findall(r"notAfter=(.+)", text)), None),
            "names": re.findall(r"DNS:([^\s,]+)", text),
        })
    return found


def deployment():
    """Who deploys to this host now, or was cut off; see generation.py."""
    content = read("/run/rtc-ops-deployment.json")
    return None if content is None else json.loads(content)["by"]


def made_for(state_directory, generation):
    """The version of coturn for which a kept configuration was made; None where it is not ours."""
    file = generation["files"].get(CONFIG)
    if file is None:
        return None
    content = read(os.path.join(state_directory, "generations", str(generation["number"]), file["copy"])) or b""
    found = re.match(rb"# turnserver\.conf for coturn ([0-9.]+), written by rtc-ops", content)
    return found.group(1).decode() if found else None


def kept(state_directory):
    """The generations, without what only generation.py needs."""
    content = read(os.path.join(state_directory, "state.json"))
    if content is None:
        return None
    state = json.loads(content)
    generations = [
        {"number": each["number"], "at": each["at"], "coturn": made_for(state_directory, each)}
        for each in state["generations"]
    ]
    return {"current": state["current"], "generations": generations, "rotation": state.get("rotation")}


def main(state_directory, key, stun, *paths):
    coturn = package("coturn")
    synchronized = output("timedatectl", "show", "--property=NTPSynchronized", "--value")
    print(json.dumps({
        "system": system(),
        "hostname": platform.node(),
        "coturn": coturn,
        "manager": manager(coturn["installed"] is not None),
        "addresses": addresses(),
        "sightings": sightings(json.loads(stun)),
        "clock": {
            "unixMs": int(time.time() * 1000),
            "synchronized": None if synchronized is None else synchronized.strip() == "yes",
        },
        "freeBytes": shutil.disk_usage("/var").free,
        "service": service(),
        "listeners": listeners(),
        "firewall": firewall(),
        "kernel": kernel(),
        "logrotate": shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin") is not None,
        "secrets": secrets(),
        "certificates": certificates(),
        "files": {path: file_facts(path, key.encode()) for path in paths},
        "state": kept(state_directory),
        "deployment": deployment(),
    }))


main(*sys.argv[1:])
