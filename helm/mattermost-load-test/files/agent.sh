# The agent's container: runs `loadtest` in /work. Its exit code is a verdict, which goes into the pod's status; where it
# was killed the container ends likewise, and Kubernetes starts it again: the log so far stays, before the new one.
cd /work || exit 1
if [ -s loadtest.log ]; then
    [ -z "$(tail -c 1 loadtest.log)" ] || echo >>loadtest.log # it was killed within a line
    parts=$(ls earlier-*.log 2>/dev/null | wc -l)
    mv loadtest.log "$(printf 'earlier-%03d.log' "$parts")"
fi
stopped=
trap 'stopped=1; kill -TERM "$agent" 2>/dev/null' TERM INT
loadtest "$@" >/dev/null 2>>output.txt &
agent=$!
wait "$agent"
code=$?
while kill -0 "$agent" 2>/dev/null; do # a signal ended the waiting, not the agent
    wait "$agent"
    code=$?
done
if [ "$code" -gt 128 ] && [ "$code" -ne 130 ] && [ -z "$stopped" ]; then
    exit "$code"
fi
echo "$code" >ended
echo "$code" >/dev/termination-log
