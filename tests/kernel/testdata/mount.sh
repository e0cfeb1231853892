# Uses "datakit mount" in a guest, which has a 9P client and no FUSE, and ends
# mounts in each way. Says "all is well" if it is.
set -e
fails() { echo "$1; datakit mount said:"; cat /tmp/said; exit 1; }

# until_true COMMAND... waits until it succeeds.
until_true() {
  n=0
  while ! "$@" 2>/dev/null; do
    n=$((n + 1))
    [ $n -lt 600 ] || fails "in vain: $*"
    usleep 100000
  done
}

# begin mounts on $M in the background, as $mounter.
M=/mnt/tree
mkdir -p $M
begin() {
  : >/tmp/said # lest it be searched before the mounter opens it
  datakit mount --addr "tcp://$SRV:$PORT" "$@" $M >/tmp/said 2>&1 &
  mounter=$!
  until_true grep -q '^mounted ' /tmp/said
  grep -q "with the kernel's 9P client" /tmp/said || fails 'mounted otherwise'
}

# ended WANT waits for the end of the mounter with this status, and finds nothing left.
ended() {
  status=0
  wait $mounter || status=$?
  [ $status = "$1" ] || fails "ended with status $status"
  ! grep -q " $M " /proc/mounts || fails 'still mounted'
}

begin
[ "$(ls $M | tr '\n' ' ')" = 'branch commits debug remotes snapshots trees ' ] || fails 'no tree'
mkdir $M/branch/b $M/branch/b/transactions/t
echo hello >$M/branch/b/transactions/t/rw/f
chmod +x $M/branch/b/transactions/t/rw/f
echo commit >$M/branch/b/transactions/t/ctl
[ "$(cat $M/branch/b/ro/f)" = hello ] || fails 'no commit'
[ -x $M/branch/b/ro/f ] || fails 'not executable'
mkdir $M/branch/b/transactions/u
kill -INT $mounter
ended 0

begin --via kernel
[ -z "$(ls $M/branch/b/transactions)" ] || fails 'the transaction is still there'
umount $M
ended 0

begin
cat $M/branch/b/head.live >/tmp/head & # keeps it in use
reader=$!
until_true test -s /tmp/head
kill -TERM $mounter
ended 0
kill $reader 2>/dev/null || true

status=0
datakit mount --addr "tcp://$SRV:$PORT" --via fuse $M >/tmp/said 2>&1 || status=$?
[ $status = 1 ] && grep -q 'there is no /dev/fuse' /tmp/said || fails 'FUSE'
echo 'all is well'
