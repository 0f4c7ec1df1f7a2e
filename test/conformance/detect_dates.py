"""Cuts dates out of lines with fail2ban's DateDetector: {now, pattern, lines} in, [[start, end, time]] out."""

import json
import sys

from fail2ban.server.datedetector import DateDetector
from fail2ban.server.mytime import MyTime

job = json.load(sys.stdin)
MyTime.setTime(job["now"])
detector = DateDetector()
for pattern in job["pattern"]:
    detector.appendTemplate(pattern)
results = []
for line in job["lines"]:
    found = detector.matchTime(line)
    if not found[0]:
        results.append(None)
        continue
    start, end = found[0].span(1)
    try:
        date = detector.getTime(line[start:end], found)
    except (KeyError, TypeError):
        date = None
    results.append([start, end, date and date[0]])
json.dump(results, sys.stdout)
