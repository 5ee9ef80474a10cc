#!/bin/bash
# A computer of a test's own, as far as its programs can tell: network, mounts and processes are this script's, and go with it. Its way out leads to a second
# namespace, "the internet", which has a name server and a web server and leads nowhere. A shell on a terminal is what its input and output are.
#
# machine.sh FOLDER, by `unshare --net --mount --pid --fork --mount-proc`: FOLDER has the shell's settings as `bashrc`.
set -euo pipefail
folder=$1

mount -t tmpfs -o mode=755 tmpfs /run
echo "nameserver 203.0.113.1" >"$folder/resolv.conf"
resolv=$(readlink -m /etc/resolv.conf)
if [ ! -e "$resolv" ]; then
  mkdir -p "${resolv%/*}"
  touch "$resolv"
fi
mount --bind "$folder/resolv.conf" "$resolv"

ip link set dev lo up
ip netns add internet
ip link add wan type veth peer name lan netns internet
ip address add 203.0.113.2/24 dev wan
ip link set dev wan up
ip route add default via 203.0.113.1
internet() { nsenter --net=/run/netns/internet -- "$@"; }
internet ip link set dev lo up
internet ip address add 203.0.113.1/24 dev lan
internet ip link set dev lan up
internet dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --address=/#/203.0.113.1 --pid-file=/run/internet-dns.pid
internet "$NODE" -e '
  require("node:http").createServer((request, answer) => {
    answer.writeHead(301, { location: "http://www.google.com/" }).end("<TITLE>301 Moved</TITLE>\n");
  }).listen(80, "203.0.113.1");' >"$folder/internet.log" 2>&1 </dev/null &
until (: </dev/tcp/203.0.113.1/80) 2>/dev/null; do sleep 0.1; done

# No exec: this shell is process 1, which must see the end of those that nobody waits for.
socat - EXEC:"bash --noediting --rcfile $folder/bashrc -i",pty,setsid,ctty,stderr,sane,echo=0
