// Package guide makes scripts of the shell commands in a document, so that the
// document can be followed by a test and stays true.
package guide

import (
	"fmt"
	"strings"
)

// Blocks returns the fenced blocks of shell commands that have a mark.
func Blocks(text, mark string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(text, "\n```sh "+mark+"\n")
		if !ok {
			return out
		}
		block, rest, _ := strings.Cut(rest, "\n```\n")
		out, text = append(out, block), "\n"+rest
	}
}

// prolog defines what Script uses: prints COMMAND WANT fails unless the output
// of the command, on one line, is what the comment beside it promises, at the
// last of so many tries.
const prolog = `set -e
prints() {
  for try in $(seq %d); do
    got=$(eval "$1" | tr -s '\n ' ' ')
    [ "${got%% }" = "$2" ] && return 0
    [ "$try" = %[1]d ] || sleep 0.1
  done
  echo "$1: prints '$got', and not '$2'"; exit 1
}
`

// Script makes blocks one script for a POSIX shell, in which comments such as
// "# prints Hello" are checked, so often until they are true, or tries times.
// "prints nothing" may go on to say why.
func Script(blocks []string, tries int) string {
	var b strings.Builder
	fmt.Fprintf(&b, prolog, tries)
	for line := range strings.SplitSeq(strings.Join(blocks, "\n"), "\n") {
		command, want, ok := strings.Cut(line, "# prints ")
		if !ok {
			fmt.Fprintln(&b, line)
			continue
		}
		if strings.HasPrefix(want, "nothing") {
			want = ""
		}
		before, last := "", strings.TrimSpace(command)
		if at := strings.LastIndex(last, "; "); at >= 0 {
			before, last = last[:at+2], last[at+2:]
		}
		fmt.Fprintf(&b, "%sprints %s %s\n", before, quote(last), quote(want))
	}
	return b.String()
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
