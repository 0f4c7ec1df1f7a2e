"""Answers searches with Python's own re: JSON lines {pattern, flags, texts} in, JSON lines {error} or {results} out."""

import json
import re
import sys
import warnings

warnings.simplefilter("ignore")

for line in sys.stdin:
    job = json.loads(line)
    try:
        pattern = re.compile(job["pattern"], re.MULTILINE if job["multiline"] else 0)
    except (re.error, OverflowError, RecursionError) as error:
        print(json.dumps({"error": str(error)}))
        continue
    results = []
    for text in job["texts"]:
        match = pattern.search(text)
        results.append(match and [match.start(), match.groupdict()])
    print(json.dumps({"results": results}))
