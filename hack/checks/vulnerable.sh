#!/usr/bin/env bash
# govulncheck finds no known vulnerability that the plugin reaches
. "$(dirname "$0")/../lib.sh"

database=${GOVULNDB:-https://vuln.go.dev}
reach='import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/index/db.json", timeout=10)'
case $database in
  http*) python3 -c "$reach" "$database" 2>/dev/null || leave_out "the vulnerability database $database cannot be reached" ;;
esac
"$(hack/tool govulncheck)" -db "$database" ./cmd/kubectl-summarizer
