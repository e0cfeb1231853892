#!/usr/bin/env bash
# deps.sh installs what the tests use besides Go, on Debian and its kin, as
# far as it is missing and may be installed. Tests whose tools are absent are
# skipped, so it always succeeds and says what will be missing.
set -u

# A command, the package that has it, and what is lost without it.
needs="
git git everything
gcc gcc the_race_detector
diod diod tests_against_diod
diodcat diod tests_with_diod_clients
ssh openssh-client fetches_over_ssh
qemu-system-x86_64 qemu-system-x86 tests_in_a_Linux_kernel
cpio cpio tests_in_a_Linux_kernel
modprobe kmod tests_in_a_Linux_kernel
xz xz-utils tests_in_a_Linux_kernel
python3 python3 tests_in_a_Linux_kernel
busybox busybox-static tests_in_a_Linux_kernel
fusermount3 fuse3 tests_of_FUSE_mounts_without_being_root
npm npm tests_with_GitHub's_published_payloads
curl curl the_test_of_the_guide_for_operators
zsh zsh the_test_of_completions_for_zsh
fish fish the_test_of_completions_for_fish
"

PATH=$PATH:/usr/sbin:/sbin

# missing prints the lines of needs whose command is not there.
missing() {
  while read -r cmd pkg what; do
    [ -n "$cmd" ] && ! command -v "$cmd" >/dev/null && echo "$cmd $pkg $what"
  done <<<"$needs"
}

# install fetches the packages named, without asking.
install() {
  local as=()
  command -v apt-get >/dev/null || { echo 'deps: this system has no apt-get'; return 1; }
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || { echo 'deps: neither root nor sudo without a password'; return 1; }
    as=(sudo)
  fi
  "${as[@]}" timeout -k 10 120 apt-get update -qq >/dev/null 2>&1
  "${as[@]}" timeout -k 10 480 env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}

want=$(missing | awk '{print $2}' | sort -u)
if [ -n "$want" ]; then
  echo "deps: installing" $want
  # shellcheck disable=SC2086 # one word a package
  install $want || echo 'deps: not all could be installed'
fi
missing | while read -r cmd pkg what; do
  echo "deps: $cmd (package $pkg) is missing: this skips ${what//_/ }"
done
exit 0
