#!/usr/bin/env bash
# kernel9p.sh SERVER VERSION SCRIPT [ARGS...]
#   Boots a real Debian kernel under software emulation (no KVM, no root file system: an initramfs with
#   busybox and the 9p modules), mounts a 9P server of this machine in it, runs SCRIPT there (a busybox sh
#   script, - for standard input), prints what it prints and exits with its status.
#   SERVER   a TCP port on 127.0.0.1, or unix:/path/of/socket (one connection)
#   VERSION  9p2000 | 9p2000.u | 9p2000.L, or none: the script mounts by itself with `m9 VERSION DIR [opts]`
#   In the guest: $M is the mount point and the working folder; $SRV $PORT $VERSION are set.
# Environment: MSIZE=65536  UNAME=root  ANAME=  ACCESS=any  OPTS=cache=none,...  TIMEOUT=300 (s)  MEM=256 (MiB)
#   EXTRA="hostfile:/guest/path ..." (static binaries)  KLOG=file (the kernel's console)
#   KERNEL9P_CACHE=folder for the kernel and the initramfs (default: below ~/.cache)
# Exit status: the script's; 77 if the mount failed; 69 if the packages are not to be had; 70 if the guest died.
# The first run fetches Debian's qemu-system-x86, busybox-static, cpio, kmod and linux-image-amd64 (about
# 150 MB); later ones take a few seconds.
set -u
[ $# -ge 3 ] || { sed -n '2,17p' "$0"; exit 64; }
SERVER=$1 VERSION=$2 SCRIPT=$3; shift 3
MSIZE=${MSIZE:-65536} UNAME=${UNAME:-root} ANAME=${ANAME:-} ACCESS=${ACCESS:-any} OPTS=${OPTS:-}
TIMEOUT=${TIMEOUT:-300} MEM=${MEM:-256} EXTRA=${EXTRA:-}
cache=${KERNEL9P_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kernel9p}
mkdir -p "$cache" || exit 69
die() { echo "kernel9p: $2" >&2; exit "$1"; }

prepare() { # once: packages, kernel, modules, initramfs
  for p in qemu-system-x86 busybox-static cpio kmod xz-utils python3; do
    dpkg -s "$p" >/dev/null 2>&1 || need="${need:-} $p"
  done
  if [ -n "${need:-}" ]; then
    apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need >/dev/null 2>&1 || die 69 "cannot install$need"
  fi
  local pkg d rel order f b
  pkg=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends: linux-image/{print $2; exit}')
  [ -n "$pkg" ] || { apt-get update -qq >/dev/null 2>&1; pkg=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/{print $2; exit}'); }
  [ -n "$pkg" ] || die 69 "no linux-image-amd64 among the packages"
  rel=${pkg#linux-image-}
  d=$(mktemp -d) || exit 70
  (cd "$d" && apt-get download -qq "$pkg" >/dev/null 2>&1 && dpkg -x ./*.deb x) || die 69 "cannot fetch $pkg"
  # the kernel inside the compressed image starts faster under emulation
  python3 - "$d/x/boot/vmlinuz-$rel" "$d/vmlinux" <<'PY' || die 70 "no kernel inside vmlinuz"
import lzma, sys
data = open(sys.argv[1], 'rb').read()
at = data.find(b'\xfd7zXZ\0')
while at >= 0:
    try:
        out = lzma.LZMADecompressor().decompress(data[at:])
        if out[:4] == b'\x7fELF':
            open(sys.argv[2], 'wb').write(out)
            sys.exit(0)
    except lzma.LZMAError:
        pass
    at = data.find(b'\xfd7zXZ\0', at + 1)
sys.exit(1)
PY
  depmod -b "$d/x" "$rel"
  mkdir -p "$d/r"/{bin,dev,proc,sys,mnt,tmp,lib/modules,etc}
  cp /bin/busybox "$d/r/bin/busybox"; ln -s busybox "$d/r/bin/sh"
  for m in virtio_pci virtio_net virtio_console 9pnet_fd 9p; do
    modprobe -d "$d/x" -S "$rel" --show-depends "$m" | awk '$1=="insmod"{print $2}'
  done | awk '!seen[$0]++' | while read -r f; do
    b=$(basename "$f")
    case $b in *.xz) b=${b%.xz}; xz -dc "$f" >"$d/r/lib/modules/$b" ;; *) cp "$f" "$d/r/lib/modules/" ;; esac
    echo "$b" >>"$d/r/lib/modules/order"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$d/r/etc/passwd"; echo 'root:x:0:' >"$d/r/etc/group"
  cat >"$d/r/bin/m9" <<'M9'
#!/bin/sh
mkdir -p "$2"
exec mount -t 9p -o "trans=tcp,port=$PORT,version=$1,msize=$MSIZE,uname=$UNAME,aname=$ANAME,access=$ACCESS${OPTS:+,$OPTS}${3:+,$3}" $SRV "$2"
M9
  cat >"$d/r/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ M=/mnt
mount -t proc proc /proc; mount -t sysfs sys /sys
for m in $(cat /lib/modules/order); do insmod /lib/modules/$m || echo "insmod $m failed"; done
n=0; while out=$(ls /dev | grep '^vport.*p1$'); [ -z "$out" ] && [ $n -lt 500 ]; do n=$((n+1)); usleep 10000; done
exec >/dev/$out 2>&1
echo "@@ ready"
ifconfig lo 127.0.0.1 up; ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
set -a; . /job.env; set +a
rc=0
if [ "$VERSION" != none ]; then m9 $VERSION $M || rc=77; cd $M; fi
if [ $rc = 0 ]; then ( . /job.sh ); rc=$?; else dmesg | grep -i 9p | tail -5; fi
cd /; umount -a -t 9p 2>/dev/null
echo "@@ rc $rc"
echo b >/proc/sysrq-trigger; sleep 5
INIT
  chmod +x "$d/r/init" "$d/r/bin/m9"
  (cd "$d/r" && find . | cpio -o -H newc --quiet) >"$d/base.cpio" || die 70 "no initramfs"
  mv "$d/base.cpio" "$cache/base.cpio" && mv "$d/vmlinux" "$cache/vmlinux"
  rm -rf "$d"
}
ready() { [ -s "$cache/vmlinux" ] && [ -s "$cache/base.cpio" ] && command -v qemu-system-x86_64 >/dev/null && command -v cpio >/dev/null; }
exec 9>"$cache/lock" # several may start at once; one prepares
flock 9; ready || prepare 9>&-; flock -u 9

w=$(mktemp -d) || exit 70
trap '[ -n "${qemu:-}" ] && kill "$qemu" 2>/dev/null; rm -rf "$w"' EXIT; trap 'exit 143' TERM INT HUP
mkdir "$w/r"
if [ "$SCRIPT" = - ]; then cat >"$w/r/job.sh"; else cp "$SCRIPT" "$w/r/job.sh"; fi
case $SERVER in
  unix:*) SRV=10.0.2.100 PORT=564 net="user,id=n,restrict=on,guestfwd=tcp:10.0.2.100:564-$SERVER" ;;
  *) SRV=10.0.2.2 PORT=$SERVER net="user,id=n" ;;
esac
for v in SRV PORT VERSION MSIZE ANAME UNAME OPTS ACCESS; do printf '%s=%q\n' $v "${!v}"; done >"$w/r/job.env"
printf 'set -- %s\n' "$(printf '%q ' "$@")" >>"$w/r/job.env"
for e in $EXTRA; do mkdir -p "$w/r/$(dirname "${e#*:}")"; cp -rL "${e%%:*}" "$w/r/${e#*:}"; done
(cd "$w/r" && find . | cpio -o -H newc --quiet) >"$w/job.cpio"
cat "$cache/base.cpio" "$w/job.cpio" >"$w/initrd"
for try in 1 2; do # a guest that is not up after a minute is started once more
  : >"$w/out"
  timeout "$TIMEOUT" qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max,-la57 -smp 1 -m "$MEM" \
    -nodefaults -no-user-config -display none -no-reboot -monitor none -kernel "$cache/vmlinux" -initrd "$w/initrd" \
    -append "console=ttyS0 quiet panic=-1 nokaslr mitigations=off nowatchdog random.trust_cpu=on" \
    -serial "file:${KLOG:-$w/console}" -netdev "$net" -device virtio-net-pci,netdev=n,romfile= \
    -device virtio-serial-pci -chardev "file,id=o,path=$w/out" -device virtserialport,chardev=o,name=job \
    </dev/null 2>"$w/qemu.err" &
  qemu=$!
  for ((i = 0; i < 600; i++)); do
    grep -aq '^@@ ready' "$w/out" && break
    kill -0 $qemu 2>/dev/null || break
    sleep 0.1
  done
  if grep -aq '^@@ ready' "$w/out" || ! kill -0 $qemu 2>/dev/null; then wait $qemu; qemu=; break; fi
  echo "kernel9p: no boot in a minute (try $try)" >&2; kill $qemu; wait $qemu; qemu=
done
grep -av '^@@ ' "$w/out"
rc=$(sed -n 's/.*@@ rc //p' "$w/out" | tail -1) # not ^: the script may have left its last line open
[ -n "$rc" ] || { tail -20 "${KLOG:-$w/console}" >&2; cat "$w/qemu.err" >&2; die 70 "the guest gave no status"; }
exit "$rc"
