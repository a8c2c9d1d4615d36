# Beside the agent: keeps its files until they are fetched (`ltops` makes the file `fetched`), for at most $1 seconds after
# its end.
cd /work || exit 1
trap 'exit 0' TERM INT
end=
until [ -e fetched ]; do
    if [ -e ended ]; then
        [ -n "$end" ] || end=$(($(date +%s) + $1))
        [ "$(date +%s)" -lt "$end" ] || break
    fi
    sleep 1 &
    wait $!
done
