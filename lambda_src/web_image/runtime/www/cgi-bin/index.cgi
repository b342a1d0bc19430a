#!/usr/local/bin/busybox sh
# The page, or, for whoever accepts application/json, what it shows: which task answered.
# With ?challenge=TEXT the JSON has a proof too: the SHA-256 of the text, a colon and what is in WEB_SECRET.
set -u

# Amazon ECS says who a task is at an address of the task's own; anything else has a host name.
metadata=
if [ -n "${ECS_CONTAINER_METADATA_URI_V4:-}" ]; then
    metadata=$(busybox timeout 2 busybox wget -q -O - "$ECS_CONTAINER_METADATA_URI_V4/task" 2>/dev/null) || metadata=
fi
field() {
    printf '%s' "$metadata" | busybox sed -n "s/.*\"$1\" *: *\"\([^\"\\\\<>&]*\)\".*/\1/p" | busybox head -n 1
}
host=$(busybox hostname)
arn=$(field TaskARN)
task=${arn##*/}
task=${task:-$host}
family=$(field Family)
revision=${family:+$family:$(field Revision)}
zone=$(field AvailabilityZone)
machine=$(busybox uname -m)

# What comes from outside is written with what a path and a trace need, and nothing that could end the text.
plain() {
    printf '%s' "$1" | busybox tr -cd 'A-Za-z0-9/._~?=&%:;,-' | busybox head -c 500
}
printf '{"level":"INFO","message":"request","path":"%s","trace":"%s","task":"%s"}\n' \
    "$(plain "${REQUEST_URI:-/}")" "$(plain "${HTTP_X_AMZN_TRACE_ID:-}")" "$task" >&2

case ${HTTP_ACCEPT:-} in
    application/json*)
        # Whoever knows the secret can tell that this task does too, and nobody else learns it.
        proof=
        challenge=$(printf '%s' "${QUERY_STRING:-}" | busybox sed -n 's/^challenge=\([0-9A-Za-z]\{16,64\}\)$/\1/p')
        if [ -n "$challenge" ] && [ -n "${WEB_SECRET:-}" ]; then
            proof=$(printf '%s:%s' "$challenge" "$WEB_SECRET" | busybox sha256sum | busybox cut -c 1-64)
        fi
        printf 'Content-Type: application/json\r\nCache-Control: no-store\r\n\r\n'
        printf '{"task":"%s","host":"%s","revision":"%s","zone":"%s","machine":"%s","proof":"%s"}\n' \
            "$task" "$host" "$revision" "$zone" "$machine" "$proof"
        exit
        ;;
esac
printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
busybox cat <<PAGE
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$task</title>
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
  h1 { font-size: 1.5rem; overflow-wrap: anywhere }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem }
  dd { margin: 0; overflow-wrap: anywhere }
</style>
<h1>Answered by $task</h1>
<dl>
  <dt>Host<dd>$host
  <dt>Task definition<dd>$revision
  <dt>Availability zone<dd>$zone
  <dt>Machine<dd>$machine
</dl>
<p>Load the page again: behind a load balancer another task may answer.
</html>
PAGE
