#!/usr/bin/env python3
"""Written by rtc-ops. Has coturn take its shared secrets from its database, which it reads at each login, and not from its
configuration, which it reads once: so they change without a restart, which would end every call.

usage: rtc-ops-secrets start|apply|check|remove

  start    before coturn starts: puts the secrets into the database, and beside it the configuration without them, which
           systemd shows coturn in the place of its own
  apply    while it runs: the secrets as they stand in the configuration now
  check    whether coturn takes those secrets, and whether it has to be restarted for something else in the configuration
  remove   takes our secrets out of the database, once coturn has been stopped

Secrets that somebody else has put into the database are left alone. What is printed has no secret in it.
"""

import grp
import json
import os
import pwd
import re
import shutil
import sqlite3
import sys

CONFIG = "/etc/turnserver.conf"
COPY = "/run/rtc-ops-coturn/turnserver.conf"
DATABASE = "/var/lib/turn/turndb"
USER = "turnserver"
BUSY_SECONDS = 10


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def values(text, *names):
    found = re.findall(r"^\s*(?:%s)\s*[=\s]\s*(\S.*?)\s*$" % "|".join(names), text, re.M)
    return [re.sub(r'^"(.*)"$', r"\1", value) for value in found]


def without_secrets(text):
    """What coturn is to read; None where its secrets cannot be had from the database, so that it reads them in its own."""
    secrets = values(text, "static-auth-secret")
    realm = (values(text, "realm") or [""])[-1]
    other = values(text, "psql-userdb", "mysql-userdb", "mongo-userdb", "redis-userdb", "sql-userdb")
    # coturn puts the realm into its query as it is.
    if not secrets or other or realm == "" or "'" in realm:
        return None
    lines = [line for line in text.split("\n") if not re.match(r"\s*static-auth-secret[=\s]", line)]
    # From 4.6.2 on coturn opens no database that its configuration does not name.
    database = [] if values(text, "userdb", "db") else ["userdb=" + DATABASE]
    # Without it, and without a secret, coturn would let everybody in.
    return "\n".join(["use-auth-secret", *database, *lines])


def connect(text):
    """The database, as the user of coturn: a file that root makes there would be of no use to coturn."""
    connection = sqlite3.connect((values(text, "userdb", "db") or [DATABASE])[-1], timeout=BUSY_SECONDS)
    connection.isolation_level = None
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def become_coturn():
    if os.getuid() == 0:
        entry = pwd.getpwnam(USER)
        os.initgroups(USER, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)


def wanted_rows(text):
    realm = values(text, "realm")[-1]
    return {(realm, secret) for secret in values(text, "static-auth-secret")}


def rows(connection, table):
    try:
        return set(connection.execute("SELECT realm, value FROM " + table))
    except sqlite3.OperationalError:
        return set()


def put(connection, wanted):
    """Makes our rows those that are wanted, all at once; gives whether there was something to do."""
    ours, there = rows(connection, "rtc_ops_secret"), rows(connection, "turn_secret")
    if ours <= wanted <= there:
        return False
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS turn_secret (realm varchar(127), value varchar(256), PRIMARY KEY (realm, value))"
    )
    connection.execute("CREATE TABLE IF NOT EXISTS rtc_ops_secret (realm text, value text, PRIMARY KEY (realm, value))")
    for row in wanted - there:
        connection.execute("INSERT INTO turn_secret (realm, value) VALUES (?, ?)", row)
        connection.execute("INSERT OR IGNORE INTO rtc_ops_secret (realm, value) VALUES (?, ?)", row)
    for row in ours - wanted:
        connection.execute("DELETE FROM turn_secret WHERE realm = ? AND value = ?", row)
        connection.execute("DELETE FROM rtc_ops_secret WHERE realm = ? AND value = ?", row)
    connection.execute("COMMIT")
    # What was deleted is to leave the disk too.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return True


def start(text):
    copy = without_secrets(text)
    if os.path.exists(COPY):
        if os.path.samefile(COPY, CONFIG):
            sys.exit("the configuration of before is still in the place of the present one")
        os.remove(COPY)
    if copy is None:
        return {"changed": False}
    group = grp.getgrnam(USER).gr_gid
    os.makedirs(os.path.dirname(COPY), exist_ok=True)
    with open(os.open(COPY + ".draft", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(copy)
    # The database first: a coturn that reads the copy, and finds no secret, lets nobody in.
    pid = os.fork()
    if pid == 0:
        become_coturn()
        connection = connect(text)
        # A reader of the usual journal finds the database locked while it is written, and coturn then refuses the login.
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        put(connection, wanted_rows(text))
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        os.remove(COPY + ".draft")
        print("WARNING: the secrets cannot be put into the database: coturn reads them in its configuration")
        return {"changed": False}
    os.chown(COPY + ".draft", 0, group)
    os.chmod(COPY + ".draft", 0o640)
    os.replace(COPY + ".draft", COPY)
    return {"changed": True}


def apply(text):
    if without_secrets(text) is None or without_secrets(text) != read(COPY):
        return {"changed": False, "restart": True}
    # Nothing of it waits for a restart: it is to look no younger than what runs.
    started = os.stat(COPY).st_mtime_ns
    if os.stat(CONFIG).st_mtime_ns > started:
        os.utime(CONFIG, ns=(started, started))
    become_coturn()
    return {"changed": put(connect(text), wanted_rows(text)), "restart": False}


def check(text):
    copy = without_secrets(text)
    if copy is None:
        return {"applied": None, "restart": os.path.exists(COPY)}
    if copy != read(COPY):
        return {"applied": None, "restart": True}
    become_coturn()
    connection = connect(text)
    wanted = wanted_rows(text)
    return {"applied": rows(connection, "rtc_ops_secret") <= wanted <= rows(connection, "turn_secret"), "restart": False}


def remove(text):
    shutil.rmtree(os.path.dirname(COPY), ignore_errors=True)
    path = (values(text, "userdb", "db") or [DATABASE])[-1]
    if not os.path.exists(path):
        return {"changed": False}
    become_coturn()
    connection = connect(text)
    if rows(connection, "rtc_ops_secret"):
        put(connection, set())
    connection.execute("DROP TABLE IF EXISTS rtc_ops_secret")
    connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    return {"changed": True}


def main(action):
    actions = {"start": start, "apply": apply, "check": check, "remove": remove}
    print(json.dumps(actions[action](read(CONFIG) or "")))


main(*sys.argv[1:])
