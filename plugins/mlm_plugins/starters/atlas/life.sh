#!/usr/bin/env bash
# The whole life of one model: each command that is printed is one that you can type yourself.
set -euo pipefail
cd "$(dirname "$0")"
export MLM_USER="${MLM_USER:-demo}"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '\033[36m$ %s\033[0m\n' "$*"; "$@"; }

say "1. Problem: what is missing, what is risky, what it may earn"
run mlm review
run mlm plan

say "2-5. Data, training, evaluation, alignment, export"
run mlm run
run mlm status

say "6. Deployment: promotion asks the gates, the gateway admits what passed them"
run mlm promote int8 --to production --reason "first release"
run mlm deploy api
printf '\033[36m$ %s\033[0m\n' "mlm serve api &"
mlm serve api > .mlm/gateway.log 2>&1 &
gateway=$!
trap 'kill $gateway 2>/dev/null || true; wait $gateway 2>/dev/null || true' EXIT
run mlm traffic data/visitors.jsonl --requests 240 --feedback

say "7. Monitoring: the requirements, measured on live traffic"
run mlm reconcile

say "   From one response back to its model, its gates, its data and the rows of the raw files"
run mlm trace "$(mlm responses --limit 1 --ids)"

say "8. Improvement: four provinces have joined the country, and visitors ask about them"
run mlm traffic data/visitors_islands.jsonl --requests 240 --feedback
run mlm reconcile
run mlm reconcile --yes
for _ in 1 2 3 4 5 6 7 8; do
    mlm reconcile --quiet --exit-code && break
    run mlm traffic data/visitors.jsonl data/visitors_islands.jsonl --requests 400 --feedback
    run mlm reconcile --yes
done

say "9. Retirement and governance"
run mlm reconcile
run mlm status
run mlm audit verify
run mlm card int8 --output model-card.md
run mlm report --output report.html
