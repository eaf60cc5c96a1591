"""A callback plugin that tells what happens as JSON lines, for a program that shows progress."""

# -*- coding: utf-8 -*-
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
    name: events
    type: aggregate
    short_description: Events of a run as JSON lines
    description:
      - Writes one JSON object a line. C(event) is C(task), C(result) or C(end).
      - Nothing of a task's arguments is told, and of its result only C(msg), C(stderr) of a failure, and the output of
        tasks that have the variable C(coturn_event_output).
    options:
      file:
        description: Where to write to, a path or the number of an open file descriptor. Without it, nowhere.
        env:
          - name: ANSIBLE_EVENTS_FILE
        ini:
          - section: callback_events
            key: file
        default: ""
"""

import json

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "events"

    def set_options(self, task_keys=None, var_options=None, direct=None):
        super(CallbackModule, self).set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        path = self.get_option("file")
        self._stream = open(int(path) if path.isdigit() else path, "w") if path else None

    def _tell(self, **event):
        if self._stream is not None:
            self._stream.write(json.dumps(event) + "\n")
            self._stream.flush()

    def _result(self, status, result, ignored=False):
        data = result._result
        event = {
            "event": "result",
            "host": result._host.get_name(),
            "task": result._task.get_name().split(" : ")[-1],
            "status": "ignored" if ignored else status,
        }
        if status in ("failed", "unreachable") and not data.get("_ansible_no_log"):
            event["message"] = str(data.get("msg", ""))
            event["stderr"] = str(data.get("stderr", data.get("module_stderr", "")))[-4000:]
        elif result._task.vars.get("coturn_event_output") and "stdout" in data:
            event["output"] = data["stdout"]
        self._tell(**event)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._tell(event="task", task=task.get_name().split(" : ")[-1])

    def v2_playbook_on_handler_task_start(self, task):
        self._tell(event="task", task=task.get_name().split(" : ")[-1])

    def v2_runner_on_ok(self, result):
        self._result("changed" if result._result.get("changed") else "ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result("failed", result, ignore_errors)

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self._result("skipped", result)

    def v2_playbook_on_stats(self, stats):
        self._tell(event="end", hosts={host: stats.summarize(host) for host in stats.processed})
