# Beside the agent: keeps its files until they are fetched (`ltops` makes the file `fetched`), for at most $1 seconds after
# its end. Where the pod is to go, it stays for what the agent writes last, which whoever follows the log reads here.
cd /work || exit 1
kept_s=$1
trap 'kept_s=3' TERM INT
end=
until [ -e fetched ]; do
    if [ -e ended ]; then
        now=$(date +%s)
        [ -n "$end" ] || end=$now
        if [ $((now - end)) -ge "$kept_s" ]; then
            echo "not fetched within $kept_s s of its end" | tee /dev/termination-log
            break
        fi
    fi
    sleep 1 &
    wait $!
done
