#!/usr/bin/env bash
# with-container-engine.sh COMMAND...: runs it where `docker` reaches an engine and a base image is at hand.
# An engine that is there is used. Else, as root on Debian, one is installed and started with a folder and a socket of its
# own, and stopped and removed at the end. Where no public image can be pulled, a base is made from Debian's packages and
# this machine's Node. Where none of that can be done, COMMAND learns why from VIRNUCPRO_TEST_NO_ENGINE and skips by name.
set -uo pipefail

dir=$(mktemp -d)
public_base=$(sed -n 's/^ARG BASE=//p' "$(dirname "$0")/../docker/Dockerfile")

give_up() {
  export VIRNUCPRO_TEST_NO_ENGINE="$1"
  echo "No container engine: $1 ($dir/log has more)" >&2
}

# Debian's services are not started by the installation: this script starts its own.
install_packages() {
  [ "$(id -u)" = 0 ] || { give_up 'installing one needs root'; return 1; }
  command -v apt-get >"$dir/log" || { give_up 'no apt-get to install one with'; return 1; }
  local policy=/usr/sbin/policy-rc.d
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && remove_policy=$policy; }
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >>"$dir/log" 2>&1
  local status=$?
  [ -z "${remove_policy:-}" ] || rm -f "$remove_policy"
  [ $status = 0 ] || give_up "apt-get cannot install $*"
  return $status
}

start_engine() {
  command -v dockerd >/dev/null || install_packages docker.io || return
  export DOCKER_HOST="unix://$dir/docker.sock"
  # No network of its own and no change of the machine's firewall: containers use the machine's loopback.
  dockerd --data-root "$dir/data" --exec-root "$dir/exec" -p "$dir/pid" -H "$DOCKER_HOST" --bridge=none \
    --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --exec-opt native.cgroupdriver=cgroupfs \
    >>"$dir/log" 2>&1 &
  engine=$!
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.5
  done
  give_up "dockerd does not start: $(grep -oP '(?<=failed to start daemon: ).*' "$dir/log" | tail -1)"
}

make_base() {
  docker image inspect "$public_base" >/dev/null 2>&1 && return
  timeout 300 docker pull -q "$public_base" >>"$dir/log" 2>&1 && return
  command -v mmdebstrap >/dev/null || install_packages mmdebstrap || return
  local node npm
  node=$(readlink -f "$(command -v node)") npm=$(npm root --global)/npm
  mmdebstrap --variant=minbase --include=tini "--customize-hook=cp $node \$1/usr/local/bin/node" \
    "--customize-hook=mkdir -p \$1/usr/local/lib/node_modules && cp -r $npm \$1/usr/local/lib/node_modules/" \
    '--customize-hook=ln -s ../lib/node_modules/npm/bin/npm-cli.js $1/usr/local/bin/npm' \
    bookworm - 2>>"$dir/log" | docker import - virnucpro-test-base >>"$dir/log" ||
    { give_up "no base image: $public_base cannot be pulled, and mmdebstrap failed"; return; }
  export VIRNUCPRO_TEST_BASE=virnucpro-test-base
}

stop_engine() {
  if [ -n "${engine:-}" ]; then
    kill "$engine" 2>/dev/null && wait "$engine"
    # The engine leaves the host network's name mounted.
    umount "$dir"/exec/netns/* 2>/dev/null
  fi
  # The log stays where there was none.
  [ -n "${VIRNUCPRO_TEST_NO_ENGINE:-}" ] || rm -rf "$dir"
}
trap stop_engine EXIT
trap 'exit 130' INT TERM

docker info >/dev/null 2>&1 || start_engine
# Images are built with BuildKit, which Debian's own client has; one without it may stand before that on the PATH.
docker buildx version >/dev/null 2>&1 || { mkdir "$dir/bin" && ln -s /usr/bin/docker "$dir/bin/" && PATH="$dir/bin:$PATH"; }
[ -n "${VIRNUCPRO_TEST_NO_ENGINE:-}${VIRNUCPRO_TEST_BASE:-}" ] || make_base
"$@"
