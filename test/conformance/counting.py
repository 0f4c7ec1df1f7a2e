"""Runs sequences of failures through fail2ban's own FailManager.

stdin: JSON, a list of {maxretry, findtime, events: [[id, seconds, attempts]]}.
stdout: JSON, for each the count after every event and whether a ban followed.
"""
import json
import sys

from fail2ban.server.failmanager import FailManager, FailManagerEmpty
from fail2ban.server.ticket import FailTicket


def run(case):
    manager = FailManager()
    manager.setMaxRetry(case["maxretry"])
    manager.setMaxTime(case["findtime"])
    result = []
    for ident, time, attempts in case["events"]:
        data = {"failures": attempts} if attempts != 1 else None
        count = manager.addFailure(FailTicket(ident, time, data=data) if data else FailTicket(ident, time))
        banned = False
        if count >= case["maxretry"]:
            try:
                manager.toBan(ident)
                banned = True
            except FailManagerEmpty:
                pass
        result.append([count, banned])
    return result


json.dump([run(case) for case in json.load(sys.stdin)], sys.stdout)
