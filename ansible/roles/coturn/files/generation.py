"""Keeps what a deployment replaces, and brings it back.

usage: python3 generation.py COMMAND STATE_DIRECTORY [ARGUMENT]

  status                   what is there: installed, and the present generation
  begin BY ENDED           before anything is changed: keeps the host as it was found, once, as generation 0
  log PATH                 before coturn logs to PATH: notes whether that and its directory are there
  commit KEPT PATHS        afterwards: keeps the files at PATHS (JSON) as a new generation, unless nothing has changed
  restore NUMBER PATHS BY ENDED FROM
                           puts back the files of a generation; 0 is the host as it was found, without what was installed;
                           with FROM, only where that is the present one
  forget                   removes all that is kept
  list                     the generations

BY is the deployment that asks: one at a time has the host, from `begin` to `commit` or `restore`. ENDED is one that is known
to have been cut off. Each prints JSON with "changed". Only files that a deployment manages are ever replaced or removed, and
only packages that came with one. Of these those stay that something else on the host has come to need.
"""

import datetime
import grp
import hashlib
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import time

UNIT = "coturn.service"
FIREWALL = "/usr/local/sbin/rtc-ops-firewall"
SECRETS = "/usr/local/sbin/rtc-ops-secrets"
# What certbot and its hook fill, beside the files that are kept.
CERTBOT_FOLDERS = ("/etc/letsencrypt", "/var/lib/letsencrypt", "/var/log/letsencrypt")
CERTIFICATES = "/etc/letsencrypt/renewal"
TLS_FOLDER = "/etc/coturn/tls"
OWN_FOLDERS = (TLS_FOLDER, "/etc/coturn")
CONFIG = "/etc/turnserver.conf"
DROP_INS = "/etc/systemd/system/coturn.service.d"
# In memory: no deployment outlives a reboot.
CLAIM = "/run/rtc-ops-deployment.json"
# No deployment takes that long; one that was cut off elsewhere stands in nobody's way for ever.
CLAIM_SECONDS = 900


class State:
    def __init__(self, directory):
        self.directory = directory
        self.file = os.path.join(directory, "state.json")
        self.data = None
        if os.path.exists(self.file):
            with open(self.file, encoding="utf-8") as file:
                self.data = json.load(file)

    def save(self):
        draft = self.file + ".draft"
        with open(draft, "w", encoding="utf-8") as file:
            json.dump(self.data, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, 0o600)
        os.replace(draft, self.file)

    def folder(self, number):
        return os.path.join(self.directory, "generations", str(number))

    def generation(self, number):
        return next(each for each in self.data["generations"] if each["number"] == number)


class Refusal(Exception):
    """Why it is not done."""


def claim(by, ended):
    """Has the host for one deployment alone, until `release`."""
    try:
        with open(CLAIM, encoding="utf-8") as file:
            held = json.load(file)
    except (FileNotFoundError, ValueError):
        held = None
    age = 0 if held is None else time.time() - held["at"]
    if held is not None and held["by"] not in (by, ended) and 0 <= age < CLAIM_SECONDS:
        raise Refusal(
            "another deployment is under way here, by %s for %d s; it counts as given up after %d s"
            % (held["by"], age, CLAIM_SECONDS)
        )
    draft = "%s.%d" % (CLAIM, os.getpid())
    with open(draft, "w", encoding="utf-8") as file:
        json.dump({"by": by, "at": int(time.time())}, file)
    # A claim of the same moment wins where it was first.
    if held is None:
        try:
            os.link(draft, CLAIM)
        except FileExistsError:
            raise Refusal("another deployment has begun here at the same moment") from None
        finally:
            os.remove(draft)
    else:
        os.replace(draft, CLAIM)


def release():
    if os.path.exists(CLAIM):
        os.remove(CLAIM)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def quiet(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def installed_packages():
    shown = quiet("dpkg-query", "--show", "--showformat=${db:Status-Status} ${binary:Package}\n").stdout.decode()
    return sorted(line.split()[1] for line in shown.splitlines() if line.startswith("installed "))


def is_interrupted():
    """Whether an installation was cut off, after which dpkg does nothing else before it has been finished."""
    shown = quiet("dpkg-query", "--show", "--showformat=${db:Status-Status}\n").stdout.decode().split()
    return any(status in ("half-configured", "half-installed", "unpacked") for status in shown)


def service_state():
    return {
        "active": quiet("systemctl", "is-active", "--quiet", UNIT).returncode == 0,
        "enabled": quiet("systemctl", "is-enabled", "--quiet", UNIT).returncode == 0,
    }


def keep(path, folder):
    """Copies one file into a generation, and says how it was; None when there is none."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(path, "rb") as file:
        content = file.read()
    copy = os.path.join(folder, path.lstrip("/").replace("/", "__"))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    # By name: the user of the service may be gone and come back under another number.
    return {
        "copy": os.path.basename(copy),
        "mode": stat.S_IMODE(status.st_mode),
        "owner": pwd.getpwuid(status.st_uid).pw_name,
        "group": grp.getgrgid(status.st_gid).gr_name,
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def put_back(path, kept, folder):
    with open(os.path.join(folder, kept["copy"]), "rb") as file:
        content = file.read()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    draft = path + ".rtc-ops-draft"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chown(draft, pwd.getpwnam(kept["owner"]).pw_uid, grp.getgrnam(kept["group"]).gr_gid)
    os.chmod(draft, kept["mode"])
    os.replace(draft, path)


def status(state, *_):
    current = None if state.data is None else state.data["current"]
    return {
        "changed": state.data is None,
        "current": current,
        "installed": "coturn" in installed_packages(),
        "interrupted": is_interrupted(),
    }


def begin(state, by, ended):
    claim(by, ended)
    packages = installed_packages()
    if state.data is not None:
        # Of a deployment that was cut off the packages before it are noted still.
        if "packagesAtBegin" not in state.data:
            state.data["packagesAtBegin"] = packages
            state.save()
        return status(state)
    os.makedirs(os.path.join(state.directory, "generations"), mode=0o700, exist_ok=True)
    os.chmod(state.directory, 0o700)
    state.data = {
        "version": 1,
        "current": 0,
        "paths": [],
        "packagesAtBegin": packages,
        "packagesAdded": [],
        "foldersBefore": [path for path in CERTBOT_FOLDERS + OWN_FOLDERS if os.path.exists(path)],
        "generations": [{
            "number": 0,
            "at": now(),
            "files": {CONFIG: keep(CONFIG, state.folder(0))},
            "service": service_state(),
            "installed": "coturn" in packages,
        }],
    }
    state.save()
    return {**status(state), "changed": True}


def log(state, path):
    """Notes what is not there yet: the log, and the topmost directory that has to be made for it."""
    if path in state.data.setdefault("logs", {}):
        return {"changed": False}
    folder = os.path.dirname(path)
    made = None
    while not os.path.isdir(folder):
        made, folder = folder, os.path.dirname(folder)
    state.data["logs"][path] = {"existed": os.path.exists(path), "made": made}
    state.save()
    return {"changed": True}


def remove_logs(state):
    """Removes logs that deployments have begun, with what logrotate has made of them."""
    for path, noted in state.data.get("logs", {}).items():
        folder, name = os.path.split(path)
        entries = os.listdir(folder) if os.path.isdir(folder) and not noted["existed"] else []
        for entry in entries:
            if re.fullmatch(re.escape(name) + r"(\.\d+(\.gz)?)?", entry):
                os.remove(os.path.join(folder, entry))
        while noted["made"] is not None and folder.startswith(noted["made"]) and remove_if_empty(folder):
            folder = os.path.dirname(folder)


def others_certificates():
    return os.path.isdir(CERTIFICATES) and any(name != "rtc-ops.conf" for name in os.listdir(CERTIFICATES))


def remove_certificate(state):
    if os.path.exists(CERTIFICATES + "/rtc-ops.conf"):
        quiet("certbot", "delete", "--non-interactive", "--cert-name", "rtc-ops")
    before = state.data["foldersBefore"]
    for folder in CERTBOT_FOLDERS:
        if folder not in before and not others_certificates():
            shutil.rmtree(folder, ignore_errors=True)
    if TLS_FOLDER not in before and os.path.isdir(TLS_FOLDER):
        for name in os.listdir(TLS_FOLDER):
            if name.lstrip(".") in ("privkey.pem", "fullchain.pem"):
                os.remove(os.path.join(TLS_FOLDER, name))
    for folder in OWN_FOLDERS:
        if folder not in before:
            remove_if_empty(folder)


def remove_if_empty(folder):
    if not os.path.isdir(folder) or os.listdir(folder):
        return False
    os.rmdir(folder)
    return True


def added_packages(state):
    """What deployments have installed, and is still there."""
    now = set(installed_packages())
    since = now - set(state.data["packagesAtBegin"]) if "packagesAtBegin" in state.data else set()
    return (set(state.data.get("packagesAdded", [])) | since) & now


def note_packages(state):
    state.data["packagesAdded"] = sorted(added_packages(state))
    state.data.pop("packagesAtBegin", None)


def needed_by_others(added):
    """Those of them that a package needs which did not come with them, or a certificate that certbot has for others."""
    shown = quiet(
        "dpkg-query", "--show",
        "--showformat=${db:Status-Status}\t${binary:Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n",
    ).stdout.decode()
    rows = [line.split("\t") for line in shown.splitlines() if line.startswith("installed\t")]
    provided = {row[1]: {row[1].split(":")[0], *re.findall(r"(?:^|, )([\w.+-]+)", row[3])} for row in rows}
    # One of the packages of each group is enough (deb-control(5)).
    wants = {row[1]: [set(re.findall(r"(?:^|\| )([\w.+-]+)", group.strip())) for group in row[2].split(",")] for row in rows}
    needed = {package for package in added if "certbot" in package} if others_certificates() else set()
    while True:
        staying = set(wants) - added | needed
        there = set().union(*(provided[package] for package in staying))
        lacking = set().union(*(group for package in staying for group in wants[package] if not group & there))
        more = {package for package in added - needed if provided.get(package, set()) & lacking}
        if not more:
            return needed
        needed |= more


def commit(state, kept_count, paths):
    paths = json.loads(paths)
    note_packages(state)
    known = sorted(set(state.data["paths"]) | set(paths))
    number = max(each["number"] for each in state.data["generations"]) + 1
    files = {path: keep(path, state.folder(number)) for path in known}
    current = state.generation(state.data["current"])
    digests = {path: file and [file["sha256"], file["mode"], file["owner"], file["group"]] for path, file in files.items()}
    before = {
        path: file and [file["sha256"], file["mode"], file["owner"], file["group"]]
        for path, file in current["files"].items()
    }
    if current["number"] != 0 and {k: v for k, v in digests.items() if v} == {k: v for k, v in before.items() if v}:
        shutil.rmtree(state.folder(number), ignore_errors=True)
        state.save()
        release()
        return {"changed": False, "generation": current["number"]}
    # What lay at a path that becomes managed only now was not ours to keep before; it is gone, or was the same.
    state.data["paths"] = known
    state.data["generations"].append(
        {"number": number, "at": now(), "files": files, "service": service_state(), "installed": True}
    )
    state.data["current"] = number
    # Generation 0 stays: it is what `remove` and a failed first deployment go back to.
    later = [each for each in state.data["generations"] if each["number"] != 0]
    for old in later[: max(0, len(later) - int(kept_count))]:
        shutil.rmtree(state.folder(old["number"]), ignore_errors=True)
        state.data["generations"].remove(old)
    state.save()
    release()
    return {"changed": True, "generation": number}


def firewall(action):
    if os.path.exists(FIREWALL):
        quiet(FIREWALL, action)


def restore(state, number, paths, by, ended, origin):
    """Puts the files back; the caller restarts the service as "service" says."""
    if state.data is None:
        return {"changed": False, "restored": None}
    claim(by, ended)
    if origin not in ("", str(state.data["current"])):
        release()
        raise Refusal("it has generation %s by now, of another deployment" % state.data["current"])
    number = int(number)
    target = state.generation(number)
    # Ports are closed by the files that say which, and opened again by those that come back.
    firewall("remove")
    quiet("systemctl", "disable", "rtc-ops-firewall.service")
    # Those of a deployment that did not come to its end are among PATHS.
    managed = sorted(set(state.data["paths"]) | set(json.loads(paths)))
    if os.path.exists(SECRETS) and target["files"].get(SECRETS) is None:
        # The database takes its usual form again only once nobody reads it.
        quiet("systemctl", "stop", UNIT)
        quiet(SECRETS, "remove")
    for path in managed:
        kept = target["files"].get(path)
        if kept is not None:
            put_back(path, kept, state.folder(number))
        elif os.path.lexists(path):
            os.remove(path)
    if os.path.exists("/etc/systemd/system/rtc-ops-firewall.service"):
        quiet("systemctl", "enable", "rtc-ops-firewall.service")
    firewall("apply")
    if number == 0:
        remove_certificate(state)
        remove_logs(state)
    if os.path.isdir(DROP_INS) and not os.listdir(DROP_INS):
        os.rmdir(DROP_INS)
    added = added_packages(state) if number == 0 else set()
    later = [each for each in state.data["generations"] if each["number"] > number]
    for each in later:
        shutil.rmtree(state.folder(each["number"]), ignore_errors=True)
        state.data["generations"].remove(each)
    state.data["current"] = number
    # Before the first generation there is nothing to remember, and a disk may be too full to do so.
    if number != 0:
        note_packages(state)
        state.save()
    release()
    return {
        "changed": True,
        "restored": number,
        "service": target["service"],
        "installed": target["installed"],
        "packages": sorted(added - needed_by_others(added)),
    }


def forget(state):
    """Removes what is kept; a file system that somebody has mounted there stays, empty."""
    for entry in os.scandir(state.directory) if os.path.isdir(state.directory) else ():
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.remove(entry.path)
    if os.path.isdir(state.directory) and not os.path.ismount(state.directory):
        os.rmdir(state.directory)
    return {"changed": True}


def listed(state):
    data = state.data or {"current": None, "generations": []}
    generations = [{"number": each["number"], "at": each["at"]} for each in data["generations"]]
    return {"changed": False, "current": data["current"], "generations": generations}


def main(command, directory, *arguments):
    state = State(directory)
    commands = {
        "status": status, "begin": begin, "log": log, "commit": commit, "restore": restore, "forget": forget,
        "list": listed,
    }
    try:
        print(json.dumps(commands[command](state, *arguments)))
    except (OSError, Refusal) as error:
        # A full disk, mostly: the reason is enough.
        print(error, file=sys.stderr)
        sys.exit(1)


main(*sys.argv[1:])
