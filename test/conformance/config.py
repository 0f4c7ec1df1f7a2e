"""Resolves configuration with fail2ban's own readers.

stdin: JSON {config, filters: [[name, {option: value}]], jails: bool, durations, calls, words, formulas}.
stdout: JSON of the same keys with the answers; null where fail2ban refuses.
"""
import json
import logging
import math  # formulas refer to it
import re
import shlex
import sys
from types import SimpleNamespace

from fail2ban.client.filterreader import FilterReader
from fail2ban.client.jailsreader import JailsReader
from fail2ban.helpers import extractOptions
from fail2ban.server.mytime import MyTime

logging.getLogger("fail2ban").setLevel(logging.CRITICAL + 1)


def attempt(run):
    try:
        return run()
    except Exception:
        return None


def resolved_filter(config, name, options, share):
    reader = FilterReader(name, "jail", dict(options), share_config=share, basedir=config)
    if not reader.read():
        return None
    reader.applyAutoOptions("auto")
    reader.getOptions({}, all=True)
    reader.getOptions({})
    return reader.getCombined()


def resolved_jails(config):
    reader = JailsReader(force_enable=True, basedir=config, share_config={})
    if not reader.read():
        return None
    reader.getOptions(None)
    answers = {}
    for jail in reader.jails:
        commands = jail.convert(allow_no_files=True)
        added = {"failregex": [], "ignoreregex": [], "journalmatch": []}
        for command in commands:
            if command[0] not in ("set", "multi-set"):
                continue
            match = re.match("^add(failregex|ignoreregex|journalmatch)$", command[2])
            if match and match[1] == "journalmatch":
                added["journalmatch"].append(command[3:])
            elif match:
                added[match[1]] += command[3] if command[0] == "multi-set" else command[3:]
            elif command[2] in ("prefregex", "datepattern", "maxlines", "usedns"):
                added[command[2]] = command[3]
        answers[jail.getName()] = {"options": jail.options, "commands": added}
    return answers


def number(text):
    return float(MyTime.str2seconds(text))


def formula(case):
    text, time, count, factor = case
    ban = SimpleNamespace(Time=time, Count=count)
    return float(eval(text, {"ban": ban, "banFactor": factor, "math": math}))


asked = json.load(sys.stdin)
share = {}
json.dump(
    {
        "filters": [
            attempt(lambda: resolved_filter(asked["config"], name, options, share))
            for name, options in asked.get("filters", [])
        ],
        "jails": resolved_jails(asked["config"]) if asked.get("jails") else None,
        "durations": [attempt(lambda: number(text)) for text in asked.get("durations", [])],
        "calls": [attempt(lambda: extractOptions(text)) for text in asked.get("calls", [])],
        "words": [attempt(lambda: shlex.split(text)) for text in asked.get("words", [])],
        "formulas": [attempt(lambda: formula(case)) for case in asked.get("formulas", [])],
    },
    sys.stdout,
)
