#!/usr/bin/env bash
# Apache Kafka on loopback, for development and tests: one node or three, each broker and controller in one (KRaft).
#
#   scripts/kafka.sh start  [--nodes N] [--data-dir DIR] [--ports BROKER1,CONTROLLER1,BROKER2,…]
#   scripts/kafka.sh stop   [--data-dir DIR]
#   scripts/kafka.sh status [--data-dir DIR]
#   scripts/kafka.sh fetch
#
# `start` prints the bus's address once every node serves. Said again it starts only the nodes that are down. The first
# time it needs the network: Maven fetches the jars. Java 17 or newer runs them.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
TOOLS=${TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/tools}
VERSION=$(sed -n 's#^  <version>\(.*\)</version>.*#\1#p' "$here/kafka.pom.xml")
JARS=$TOOLS/kafka-$VERSION
JAVA_VERSION_MIN=17
HEAP_MB_MAX=256
PORT_FIRST=9092
START_SECONDS_MAX=120
STOP_SECONDS_MAX=30

fail() {
    echo "kafka: $*" >&2
    exit 1
}

# What is half done is undone where this call fails or is interrupted: a folder, and the nodes that it started.
arriving= started=()
undo() {
    [ -z "$arriving" ] || rm -rf "$arriving"
    stop_nodes "${started[@]}"
}
trap undo EXIT
trap 'exit 130' INT TERM

# --- the programs ---------------------------------------------------------------------------------------------------

java_program() {
    if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then
        echo "$JAVA_HOME/bin/java"
    else
        command -v java || true
    fi
}

has_java() {
    local java version
    java=$(java_program)
    [ -n "$java" ] || return 1
    version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${version:-0}" -ge "$JAVA_VERSION_MIN" ]
}

install_packages() {
    command -v apt-get >/dev/null || fail "needs Java $JAVA_VERSION_MIN and Maven: install them with this system's package manager"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "needs Java and Maven. As root: apt-get install $*"
        as_root=(sudo)
    fi
    echo "installing $* (apt-get install)" >&2
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq >&2
    "${as_root[@]}" apt-get install -y -qq "$@" >/dev/null
}

check_sums() {
    if command -v sha256sum >/dev/null; then sha256sum --quiet -c "$1"; else shasum -a 256 --quiet -c "$1"; fi
}

# Maven resolves from wherever this machine's own settings say.
fetch() {
    has_java || install_packages default-jre-headless
    has_java || fail "needs Java $JAVA_VERSION_MIN or newer; set JAVA_HOME to it"
    [ -d "$JARS" ] && return
    command -v mvn >/dev/null || install_packages maven
    echo "fetching Kafka $VERSION (once)" >&2
    mkdir -p "$TOOLS"
    arriving=$(mktemp -d "$TOOLS/kafka-arriving-XXXXXX")
    mvn --batch-mode --quiet --strict-checksums --file "$here/kafka.pom.xml" \
        org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$arriving" >&2
    (cd "$arriving" && check_sums "$here/kafka.sha256") >&2 || fail "what Maven fetched is not what scripts/kafka.sha256 says"
    chmod 755 "$arriving"
    # Whole or not at all; where somebody else was quicker, theirs is the same.
    [ -d "$JARS" ] || mv "$arriving" "$JARS"
}

# --- one node -------------------------------------------------------------------------------------------------------

broker_port() { echo "${ports[$((2 * ($1 - 1)))]}"; }
controller_port() { echo "${ports[$((2 * ($1 - 1) + 1))]}"; }

write_config() {
    local node=$1 other voters= replicas=1 in_sync_min=1
    for ((other = 1; other <= nodes; other++)); do
        voters+=${voters:+,}$other@127.0.0.1:$(controller_port "$other")
    done
    if [ "$nodes" -ge 3 ]; then replicas=3 in_sync_min=2; fi
    mkdir -p "$data_dir/node-$node"
    cat >"$data_dir/node-$node/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=$node
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$(broker_port "$node"),CONTROLLER://127.0.0.1:$(controller_port "$node")
log.dirs=$data_dir/node-$node/log

# What is acknowledged is on two nodes, and a node that lacks it never leads.
default.replication.factor=$replicas
min.insync.replicas=$in_sync_min
unclean.leader.election.enable=false
auto.create.topics.enable=false

offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync_min
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$in_sync_min

# Development: a dead node is noticed in seconds, a group begins at once, few threads.
broker.session.timeout.ms=6000
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
PROPERTIES
    cat >"$data_dir/log4j2.properties" <<'PROPERTIES'
rootLogger.level=INFO
rootLogger.appenderRefs=out
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %-5p %c{1}: %m%n
PROPERTIES
}

# The process is ours only where its command line names this node's configuration: pids are used again.
running_pid() {
    local node_dir=$data_dir/node-$1 pid
    pid=$(cat "$node_dir/pid" 2>/dev/null) || return 1
    # Not `ps | grep -q`: whom grep no longer reads fails by SIGPIPE, and so would the pipe.
    case $(ps -ww -o args= -p "$pid" 2>/dev/null) in
        *"$node_dir/server.properties"*) echo "$pid" ;;
        *) return 1 ;;
    esac
}

start_node() {
    local node_dir=$data_dir/node-$1 java detached=()
    java=$(java_program)
    command -v setsid >/dev/null && detached=(setsid)
    : >"$node_dir/out"
    # One process formats and then becomes the broker: its pid, and that it is ours, hold from the first moment.
    "${detached[@]}" bash -c '
        set -eu
        config=$1 java=$2 jars=$3 heap=$4 cluster=$5
        cd "$(dirname "$config")"
        jvm=(-XX:+UseSerialGC -Xms64m "-Xmx${heap}m" -Djava.awt.headless=true
            -Dlog4j2.configurationFile=../log4j2.properties -cp "$jars/*")
        "$java" "${jvm[@]}" kafka.tools.StorageTool format --ignore-formatted --cluster-id "$cluster" --config "$config"
        exec "$java" "${jvm[@]}" kafka.Kafka "$config"
    ' kafka-node "$node_dir/server.properties" "$java" "$JARS" "$HEAP_MB_MAX" "$(cat "$data_dir/cluster-id")" \
        >>"$node_dir/out" 2>&1 </dev/null &
    echo $! >"$node_dir/pid"
}

await_node() {
    local node_dir=$data_dir/node-$1 deadline=$((SECONDS + START_SECONDS_MAX))
    until grep -q 'Kafka Server started' "$node_dir/out" 2>/dev/null; do
        if ! kill -0 "$(cat "$node_dir/pid")" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            grep -E 'ERROR|FATAL|Exception' "$node_dir/out" | head -n 5 >&2
            tail -n 5 "$node_dir/out" >&2
            fail "node $1 does not serve; all it said is in $node_dir/out"
        fi
        sleep 0.1
    done
}

# --- the commands ---------------------------------------------------------------------------------------------------

# What the folder's cluster is, where there is one, in `nodes` and `ports`.
read_cluster() {
    [ -f "$data_dir/cluster" ] || return 1
    IFS=' ,' read -r -a ports <"$data_dir/cluster"
    nodes=$((${#ports[@]} / 2))
}

address() {
    local node brokers=
    for ((node = 1; node <= nodes; node++)); do brokers+=${brokers:+,}127.0.0.1:$(broker_port "$node"); done
    echo "kafka://$brokers"
}

start() {
    local node asked_nodes=$nodes asked_ports=("${ports[@]}") down=()
    fetch
    if read_cluster; then
        [ -z "$asked_nodes" ] || [ "$asked_nodes" -eq "$nodes" ] || fail "$data_dir holds a cluster of $nodes: give another --data-dir"
        [ ${#asked_ports[@]} -eq 0 ] || [ "${asked_ports[*]}" = "${ports[*]}" ] || fail "$data_dir holds a cluster on ports ${ports[*]}: give another --data-dir"
    else
        nodes=${asked_nodes:-1}
        if [ ${#ports[@]} -eq 0 ]; then
            for ((node = 0; node < 2 * nodes; node++)); do ports+=($((PORT_FIRST + node))); done
        fi
        [ ${#ports[@]} -eq $((2 * nodes)) ] || fail "--ports must be $((2 * nodes)) for $nodes nodes: a broker's and a controller's for each"
        for ((node = 1; node <= nodes; node++)); do write_config "$node"; done
        head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' >"$data_dir/cluster-id"
        (IFS=,; echo "${ports[*]}") >"$data_dir/cluster"
    fi
    for ((node = 1; node <= nodes; node++)); do
        running_pid "$node" >/dev/null || down+=("$node")
    done
    for node in "${down[@]}"; do
        started+=("$node")
        start_node "$node"
    done
    for ((node = 1; node <= nodes; node++)); do await_node "$node"; done
    started=()
    address
}

stop() {
    read_cluster || return 0
    stop_nodes $(seq "$nodes")
}

stop_nodes() {
    local node pid deadline=$((SECONDS + STOP_SECONDS_MAX))
    for node in "$@"; do
        pid=$(running_pid "$node") && kill -TERM "$pid" 2>/dev/null || true
    done
    for node in "$@"; do
        while pid=$(running_pid "$node"); do
            # The last of three cannot say goodbye: the others, whom it would tell, are gone.
            [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$pid" 2>/dev/null || true
            sleep 0.1
        done
        rm -f "$data_dir/node-$node/pid"
    done
}

status() {
    read_cluster || fail "no cluster in $data_dir"
    local node pid
    for ((node = 1; node <= nodes; node++)); do
        if pid=$(running_pid "$node"); then
            echo "node $node: 127.0.0.1:$(broker_port "$node"), pid $pid"
        else
            echo "node $node: down"
        fi
    done
}

command=${1:-}
[ $# -gt 0 ] && shift
nodes= ports=() data_dir=$here/../data/kafka
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || fail "$1 needs a value"
    case $1 in
        --nodes) nodes=$2 ;;
        --ports) IFS=, read -r -a ports <<<"$2" ;;
        --data-dir) data_dir=$2 ;;
        *) fail "what is $1?" ;;
    esac
    shift 2
done
case $command in
    start | stop | status)
        mkdir -p "$data_dir"
        data_dir=$(cd "$data_dir" && pwd)
        "$command"
        ;;
    fetch) fetch ;;
    *) fail "say start, stop, status or fetch (see the head of $0)" ;;
esac
