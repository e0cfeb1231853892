# Shell recipes of the manual, run by a guest's busybox, or the shell of a host,
# in a mounted tree. Each argument is a dialect, or another kind of mount, and the
# name of a function below, such as 9p2000.L/FS44_Root; for each this prints
# "=== ARGUMENT", what it printed, and "--- ARGUMENT STATUS". A recipe works on a
# branch of its own, $B, so that none depends on another. $M is where the dialect
# is mounted, below $ROOT, and $T a folder for what is not in the tree, which is
# emptied.
T=${T:-/tmp} ROOT=${ROOT:-/mnt}
command -v usleep >/dev/null || usleep() { sleep 0.1; }

# begin TX [BRANCH] starts a transaction and goes there.
begin() {
  [ -d "$M/branch/${2:-$B}" ] || mkdir "$M/branch/${2:-$B}"
  mkdir "$M/branch/${2:-$B}/transactions/$1"
  cd "$M/branch/${2:-$B}/transactions/$1"
}

# commit MESSAGE commits the transaction of the working directory.
commit() {
  echo "$1" >msg
  echo commit >ctl
  cd "$M"
}

# put FILE TEXT [BRANCH] commits one file.
put() {
  begin "put" "${3:-$B}"
  echo "$2" >"rw/$1"
  commit "Put $1"
}

# is GOT WANT fails unless both are the same.
is() { [ "$1" = "$2" ] || { echo "got '$1', want '$2'"; return 1; }; }

# until_true COMMAND... waits until it succeeds.
until_true() {
  n=0
  while ! "$@" 2>/dev/null; do
    n=$((n + 1))
    [ $n -lt 300 ] || { echo "in vain: $*"; return 1; }
    usleep 100000
  done
}

# refused TEXT COMMAND... runs a command that must fail with this error. Plain
# 9P2000 carries no numbers, and the kernel knows only some of the texts.
refused() {
  text=$1
  shift
  if "$@" 2>"$T/refused"; then
    echo "no error: $*"
    return 1
  fi
  case $VERSION:$(cat $T/refused) in
    9p2000:* | *"$text"*) ;;
    *) echo "$*: got '$(cat $T/refused)', want '$text'"; return 1 ;;
  esac
}
write() { echo "$1" >"$2"; }

FS44_Root() {
  is "$(ls | tr '\n' ' ')" "branch commits debug remotes snapshots trees "
}

FS92_FS119_Commit() {
  mkdir "branch/$B"
  is "$(cat branch/$B/head)" ""
  mkdir "branch/$B/transactions/t"
  cd "branch/$B/transactions/t"
  is "$(ls | tr '\n' ' ')" "ctl diff merge msg origin parents rw "
  echo 'Hello from the kernel' >rw/greeting
  mkdir rw/src
  echo 'all: build' >rw/src/Makefile
  echo 'My first commit' >msg
  is "$(ls ../../ro)" ""
  echo commit >ctl
  cd "$M/branch/$B"
  [ ! -e transactions/t ]
  is "$(cat ro/greeting)" 'Hello from the kernel'
  is "$(ls ro | tr '\n' ' ')" 'greeting src '
  head=$(cat head)
  is "${#head}" 40
  is "$(cat $M/snapshots/$head/msg)" 'My first commit'
  is "$(cat $M/snapshots/$head/ro/src/Makefile)" 'all: build'
}

FS118_Close() {
  put file old
  begin t
  echo new >rw/file
  echo close >ctl
  cd "$M"
  [ ! -e "branch/$B/transactions/t" ]
  is "$(cat branch/$B/ro/file)" old
}

FS106_Edit() {
  put file 'one'
  begin t
  echo two >>rw/file
  printf 'O' | dd of=rw/file bs=1 conv=notrunc 2>/dev/null
  is "$(cat rw/file | tr '\n' ' ')" 'One two '
  truncate -s 3 rw/file
  is "$(cat rw/file)" 'One'
  : >rw/empty
  commit 'Edit'
  is "$(stat -c %s branch/$B/ro/file branch/$B/ro/empty | tr '\n' ' ')" '3 0 '
}

FS164_LargeFile() {
  begin t
  dd if=/dev/urandom of=$T/large bs=64k count=48 2>/dev/null
  cp $T/large rw/large
  commit 'Large'
  cmp $T/large "branch/$B/ro/large"
  is "$(stat -c %s branch/$B/ro/large)" 3145728
}

FS109_FS110_Directories() {
  begin t
  mkdir -p rw/a/b/c
  echo x >rw/a/b/c/x
  echo y >rw/a/y
  mkdir rw/empty
  case $VERSION in
    9p2000 | 9p2000.u) ;; # do not tell rmdir from rm -r
    *) refused 'Directory not empty' rmdir rw/a/b ;;
  esac
  commit 'Nested'
  is "$(ls branch/$B/ro)" a
  begin t
  rm -r rw/a/b
  is "$(ls rw/a)" y
  rm rw/a/y
  rmdir rw/a
  is "$(ls rw)" ''
  refused 'No such file' rm rw/a
  commit 'Nothing left'
  is "$(ls branch/$B/ro)" ''
}

FS108_Symlinks() {
  begin t
  echo text >rw/file
  ln -s file rw/link
  is "$(readlink rw/link)" file
  is "$(cat rw/link)" text
  commit 'Link'
  is "$(readlink branch/$B/ro/link)" file
  is "$(cat branch/$B/ro/link)" text
}

FS111_Chmod() {
  begin t
  echo '#!/bin/sh' >rw/run
  echo 'echo ran' >>rw/run
  [ ! -x rw/run ]
  chmod +x rw/run
  is "$(stat -c %a rw/run)" 775
  commit 'Executable'
  is "$(branch/$B/ro/run)" ran
  begin t
  chmod -x rw/run
  is "$(stat -c %a rw/run)" 664
  echo close >ctl
}

FS112_Move() {
  begin t
  echo x >rw/x
  echo y >rw/y
  mkdir rw/dir
  mv rw/x rw/z
  mv rw/z rw/y
  mv rw/y rw/dir/y
  mv rw/dir rw/moved
  is "$(cd rw && find . -type f)" ./moved/y
  is "$(cat rw/moved/y)" x
  commit 'Moved'
  is "$(cat branch/$B/ro/moved/y)" x
}

FS112_FS172_EditorSave() {
  put file one
  begin t
  echo two >rw/.file.swp
  dd if=rw/.file.swp of=rw/file.new conv=fsync 2>/dev/null
  mv rw/file.new rw/file
  rm rw/.file.swp
  is "$(ls -A rw)" file
  commit 'Saved'
  is "$(cat branch/$B/ro/file)" two
}

FS107_GitClone() {
  git init -q "$T/src"
  echo text >"$T/src/file"
  git -C "$T/src" add file
  git -C "$T/src" -c user.name=n -c user.email=e commit -qm 'A commit'
  begin t
  git clone -q --bare "$T/src" rw/clone.git
  git -C rw/clone.git fsck --strict
  git clone -q rw/clone.git "$T/back"
  is "$(cat "$T/back/file")" text
  commit 'Cloned'
  diff -r "$T/src/.git/objects" "branch/$B/ro/clone.git/objects" >/dev/null || ls -R "branch/$B/ro/clone.git" | grep -q pack
}

FS107_CopyTree() {
  mkdir -p $T/tree/sub
  echo a >$T/tree/a
  echo b >$T/tree/sub/b
  chmod 775 $T/tree/sub/b
  [ "$VERSION" = 9p2000 ] || ln -sf a $T/tree/link
  begin t
  cp -a $T/tree rw/tree
  diff -r $T/tree rw/tree
  commit 'Copied'
  diff -r $T/tree "branch/$B/ro/tree"
  is "$(stat -c %a branch/$B/ro/tree/a branch/$B/ro/tree/sub/b | tr '\n' ' ')" '664 775 '
}

FS28_BranchNamesWithSlash() {
  put file text 'feature%2Fx'
  is "$(ls branch | grep feature)" 'feature%2Fx'
  is "$(cat branch/feature%2Fx/ro/file)" text
}

FS47_FS48_Branches() {
  put file text "$B.old"
  head=$(cat "branch/$B.old/head")
  mv "branch/$B.old" "branch/$B.new"
  [ ! -e "branch/$B.old" ]
  is "$(cat branch/$B.new/head)" "$head"
  rmdir "branch/$B.new"
  [ ! -e "branch/$B.new" ]
  is "$(ls branch | grep $B)" ''
}

FS53_FastForward() {
  put file text
  mkdir "branch/$B.pr"
  cat "branch/$B/head" >"branch/$B.pr/fast-forward"
  is "$(cat branch/$B.pr/head)" "$(cat branch/$B/head)"
  put other text "$B.pr"
  put third text
  refused 'busy' cp "branch/$B.pr/head" "branch/$B/fast-forward"
}

FS55_FS102_Diff() {
  put kept same
  put changed old
  old=$(cat "branch/$B/head")
  begin t
  echo new >rw/changed
  mkdir rw/dir
  echo x >rw/dir/added
  is "$(cat diff/$old | tr '\n' ' ')" '* changed + dir/added '
  commit 'Changes'
  is "$(cat branch/$B/diff/$old | tr '\n' ' ')" '* changed + dir/added '
  is "$(cat snapshots/$old/diff/$(cat branch/$B/head) | tr '\n' ' ')" '* changed - dir/added '
}

FS123_FS132_Merge() {
  put file base
  mkdir "branch/$B.pr"
  cat "branch/$B/head" >"branch/$B.pr/fast-forward"
  put file theirs "$B.pr"
  put new theirs "$B.pr"
  put file ours
  begin m
  cat "$M/branch/$B.pr/head" >merge
  is "$(ls | tr '\n' ' ')" 'base conflicts ctl diff merge msg origin ours parents rw theirs '
  is "$(cat conflicts)" file
  is "$(cat rw/file | tr '\n' ' ')" '** Conflict ** Changed on both branches '
  is "$(cat ours/file theirs/file base/file | tr '\n' ' ')" 'ours theirs base '
  refused 'busy' write commit ctl
  cat ours/file theirs/file >rw/file
  is "$(cat conflicts)" ''
  is "$(wc -l <parents)" 2
  commit 'Merged'
  is "$(cat branch/$B/ro/file branch/$B/ro/new | tr '\n' ' ')" 'ours theirs theirs '
  is "$(wc -l <snapshots/$(cat branch/$B/head)/parents)" 2
}

FS119_ConflictAtCommit() {
  put file base
  begin t
  echo mine >rw/file
  (put file theirs)
  refused 'busy' write commit ctl
  cat "$M/branch/$B/head" >merge
  cat ours/file >rw/file
  commit 'Mine'
  is "$(cat branch/$B/ro/file)" mine
}

FS51_HeadLive() {
  put file one
  cat "branch/$B/head.live" >$T/heads &
  reader=$!
  until_true test -s $T/heads
  is "$(cat $T/heads)" "$(cat branch/$B/head)"
  put file two
  until_true grep -q "$(cat branch/$B/head)" $T/heads
  is "$(wc -l <$T/heads)" 2
  kill $reader
  wait $reader || true
}

FS59_TreeLive() {
  put other x
  begin live
  cat "$M/branch/$B/watch/src.node/Makefile.node/tree.live" >$T/trees &
  reader=$!
  until_true test -s $T/trees
  is "$(cat $T/trees)" ''
  mkdir rw/src
  printf 'all: build' >rw/src/Makefile
  commit 'Makefile'
  until_true grep -q F-d81e367f87ee314bcd3e449b1c6641efda5bc269 $T/trees
  kill $reader
  wait $reader || true
  is "$(cat trees/F-d81e367f87ee314bcd3e449b1c6641efda5bc269)" 'all: build'
}

FS52_Reflog() {
  put file one
  cat "branch/$B/reflog" >$T/reflog &
  reader=$!
  # until the reader has opened it, commits are not its business
  until_true grep -q "branch/$B/reflog" /proc/$reader/cmdline
  until_true sh -c "ls -l /proc/$reader/fd | grep -q reflog"
  for i in 1 2 3; do
    put file "$i"
    cat "branch/$B/head" >>$T/want
  done
  until_true cmp -s $T/want $T/reflog
  kill $reader
  wait $reader || true
}

FS63_FS67_Snapshots() {
  put file one
  first=$(cat "branch/$B/head")
  put file two
  head=$(cat "branch/$B/head")
  is "$(ls snapshots commits trees | grep -v :)" ''
  is "$(cat snapshots/$head/parents)" "$first"
  is "$(cat snapshots/$first/ro/file)" one
  is "$(cat snapshots/$head/hash)" "$head"
  grep -q "^{\"hash\":\"$head\",\"value\":{\"node\":\"" "commits/$head"
  refused 'No such file' cat snapshots/0123456789012345678901234567890123456789/hash
}

FS72_Levels() {
  for dir in debug/src/*; do
    [ -s "$dir/doc" ]
    old=$(cat "$dir/level")
    echo info >"$dir/level"
    is "$(cat $dir/level)" info
    echo "$old" >"$dir/level"
  done
  refused 'Invalid argument' write loud "$dir/level"
}

FS165_LongListing() {
  begin t
  mkdir rw/many
  i=0
  while [ $i -lt 400 ]; do
    : >"rw/many/a-file-with-quite-a-long-name-to-fill-pages-$i"
    i=$((i + 1))
  done
  is "$(ls rw/many | wc -l)" 400
  commit 'Many'
  is "$(ls branch/$B/ro/many | sort -u | wc -l)" 400
}

FS217_Errors() {
  put file text
  refused 'Read-only file system' mkdir "branch/$B/sub"
  refused 'Read-only file system' write x "branch/$B/ro/file"
  refused 'Read-only file system' rm "branch/$B/ro/file"
  refused 'Read-only file system' mkdir sub
  refused 'not permitted' write x branch/file
  refused 'No such file' cat "branch/$B/ro/none"
  refused 'No such file' ls branch/none/ro
  begin t
  refused 'Invalid argument' write bogus ctl
  refused 'File exists' mkdir "$M/branch/$B/transactions/t"
  refused 'Is a directory' write x rw
  refused 'File too large' truncate -s 1024G rw/file
  refused 'Invalid argument' mkdir rw/.git
  mkdir rw/dir
  refused 'not permitted' mkfifo rw/pipe
  refused 'Invalid argument' mkdir "$M/branch/bad..name"
  refused 'File exists' mkdir "$M/branch/$B%2Fsub"
  echo close >ctl
}

for job in "$@"; do
  VERSION=${job%/*} name=${job#*/}
  echo "=== $job"
  M=$ROOT/$VERSION B=$VERSION.$name
  rm -rf "${T:?}"/*
  [ -d "$M" ] || m9 "$VERSION" "$M" || exit 77
  cd "$M" || exit 77
  (
    set -e
    "$name"
  ) 2>&1
  echo "--- $job $?"
done
exit 0
