# Writes a file of the agent from the byte $2 on, what was written before a restart included. With $3 `follow` it goes on
# while the file grows, with `digest` it writes size and SHA-256 instead.
cd /work || exit 1
parts=$1
[ "$1" != loadtest.log ] || parts="$(ls earlier-*.log 2>/dev/null) loadtest.log"
if [ "$3" = digest ]; then
    found=
    for part in $parts; do [ ! -f "$part" ] || found="$found $part"; done
    [ -n "$found" ] || exit 0
    cat $found | wc -c
    cat $found | sha256sum
    exit 0
fi
at=$2
for part in $parts; do
    [ "$3" != follow ] || [ "$part" != "$1" ] || until [ -f "$part" ]; do sleep 0.2; done
    [ -f "$part" ] || continue
    size=$(stat -c %s "$part")
    if [ "$at" -gt "$size" ] || { [ "$at" -eq "$size" ] && [ "$part" != "$1" ]; }; then
        at=$((at - size))
        continue
    fi
    if [ "$3" = follow ] && [ "$part" = "$1" ]; then
        exec tail -c +$((at + 1)) -f "$part"
    fi
    tail -c +$((at + 1)) "$part"
    at=0
done
