package github

import (
	"fmt"
	"strings"
)

// maxListed is how many elements a part of a commit message lists.
const maxListed = 100

// Message returns the message of a commit that applies d: a subject that
// counts, an empty line, and the elements, one a line (GH-35 to GH-37). Commits
// count, and are listed, only where there is nothing else. It has no newline
// at its end.
func (d Diff) Message() string {
	notable := d.Filter(func(id ID) bool { return id.kind() != commitKind })
	if notable.IsEmpty() {
		notable = d
	}
	updated, removed := texts(notable.Update), texts(notable.Remove)
	var b strings.Builder
	b.WriteString(Subject(len(updated), len(removed)))
	switch {
	case len(updated) > 0 && len(removed) > 0:
		b.WriteString("\n\nUpdated")
		writeList(&b, "  ", updated)
		b.WriteString("\n\nRemoved")
		writeList(&b, "  ", removed)
	case !d.IsEmpty():
		b.WriteByte('\n')
		writeList(&b, "", append(updated, removed...))
	}
	return b.String()
}

// Subject returns the subject line of a commit with so many updates and
// removals (GH-35).
func Subject(updated, removed int) string {
	switch {
	case updated == 0 && removed == 0:
		return "No changes!"
	case updated == 0:
		return items(removed) + " removed"
	case removed == 0:
		return items(updated) + " updated"
	}
	return items(updated+removed) + " modified"
}

func items(n int) string {
	if n == 1 {
		return "1 item"
	}
	return fmt.Sprintf("%d items", n)
}

func texts[T fmt.Stringer](list []T) []string {
	var lines []string
	for _, v := range list {
		lines = append(lines, v.String())
	}
	return lines
}

func writeList(b *strings.Builder, indent string, lines []string) {
	for i, line := range lines {
		if i == maxListed {
			fmt.Fprintf(b, "\n%s… and %d more", indent, len(lines)-i)
			return
		}
		b.WriteString("\n" + indent + line)
	}
}
