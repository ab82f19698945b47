#!/bin/sh
# A systemd of its own, as the manager of a user: usage: user-manager.sh FOLDER CGROUP
# Run by "unshare --mount --pid --fork --kill-child --mount-proc". It sees only the units of FOLDER/units and of
# FOLDER/home, so that nothing of the machine is started or changed; what it makes of control groups is below CGROUP.
set -u
mount -t tmpfs none /run/systemd 2>/dev/null || { mkdir -p /run/systemd && mount -t tmpfs none /run/systemd; }
mkdir /run/systemd/system
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup/pids /sys/fs/cgroup/memory; do
  [ -w "$hierarchy/cgroup.procs" ] && mkdir "$hierarchy/$2" && echo $$ >"$hierarchy/$2/cgroup.procs"
done
mkdir -m 700 "$1/run"
env -i PATH="$PATH" HOME="$1/home" XDG_RUNTIME_DIR="$1/run" SYSTEMD_UNIT_PATH="$1/units:$1/home/.config/systemd/user" \
  /lib/systemd/systemd --user --unit=default.target
