"""Computes ban times with fail2ban's own code.

stdin: JSON, {random, growth: [{options, bantime, counts}], histories: [{options, bantime, bans: [[jail, ip, seconds]]}]}.
stdout: JSON, the same shape: for each of growth the ban time after so many bans, for each of histories that of each ban.
"""
import json
import logging
import random
import sys

from fail2ban.server.database import Fail2BanDb
from fail2ban.server.jail import Jail
from fail2ban.server.mytime import MyTime
from fail2ban.server.observer import ObserverThread
from fail2ban.server.ticket import FailTicket

logging.disable(logging.CRITICAL)
given = json.load(sys.stdin)
random.random = lambda: given["random"]
observer = ObserverThread()


class AliveJail(Jail):
    def isAlive(self):
        return True


def jail_with(name, options, db=None):
    jail = AliveJail(name, backend="polling", db=db)
    for option, value in options.items():
        jail.setBanTimeExtra(option, value)
    return jail


def growth(case):
    jail = jail_with("sshd", case["options"])
    return [observer.calcBanTime(jail, case["bantime"], count) for count in case["counts"]]


def history(case):
    db = Fail2BanDb(":memory:")
    jails = {}
    result = []
    for name, ip, seconds in case["bans"]:
        if name not in jails:
            jails[name] = jail_with(name, case["options"], db)
            db.addJail(jails[name])
        MyTime.setTime(seconds)
        ticket = FailTicket(ip, seconds)
        # As actions, banmanager and observer do, one after the other.
        ticket.incrBanCount()
        time = observer.incrBanTime(jails[name], case["bantime"], ticket)
        ticket.setBanTime(time)
        db.addBan(jails[name], ticket)
        result.append(time)
    return result


json.dump(
    {
        "growth": [growth(case) for case in given["growth"]],
        "histories": [history(case) for case in given["histories"]],
    },
    sys.stdout,
)
