package github

import (
	"fmt"
	"strings"
)

// String returns "{user/name NAME[SHA]}".
func (r Ref) String() string {
	return fmt.Sprintf("{%s %s[%s]}", r.Commit.Repo, r.Name, r.Commit.Hash)
}

// String returns "{user/name SHA:CTX[STATE] url=URL descr=TEXT}" without the
// parts that are absent, in one line.
func (s Status) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{%s %s:%s[%s]", s.Commit.Repo, s.Commit.Hash, s.Context, s.State)
	if s.URL != "" {
		b.WriteString(" url=" + oneLine(s.URL))
	}
	if s.Description != "" {
		b.WriteString(" descr=" + oneLine(s.Description))
	}
	b.WriteByte('}')
	return b.String()
}

// oneLine returns text with a space for each control character, so that
// nobody's description can forge a line of a commit message or log.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, text)
}

// String returns `{user/name N[SHA] BASE OWNER STATE "TITLE"}`, the title
// quoted as in Go.
func (p PR) String() string {
	return fmt.Sprintf("{%s %d[%s] %s %s %s %q}",
		p.Head.Repo, p.Number, p.Head.Hash, oneLine(p.Base), p.Owner, p.State, p.Title)
}

// String returns "{user/name SHA}".
func (c Commit) String() string { return fmt.Sprintf("{%s %s}", c.Repo, c.Hash) }

// String returns "{user/name NAME}".
func (r RefID) String() string { return fmt.Sprintf("{%s %s}", r.Repo, r.Name) }

// String returns "{{user/name SHA} CTX}".
func (s StatusID) String() string { return fmt.Sprintf("{%s %s}", s.Commit, s.Context) }

// String returns "{user/name N}".
func (p PRID) String() string { return fmt.Sprintf("{%s %d}", p.Repo, p.Number) }

// String returns "+user/name" for a repository that is monitored and
// "-user/name" for one that is ignored (GH-7).
func (e RepoEvent) String() string {
	if e.Monitored {
		return "+" + e.Repo.String()
	}
	return "-" + e.Repo.String()
}

// String returns the text form of the pull request; of one that is to be read
// anew its identity alone.
func (e PREvent) String() string {
	if e.Unread == All {
		return e.PR.ID().String()
	}
	return e.PR.String()
}

// String returns the text form of the status.
func (e StatusEvent) String() string { return e.Status.String() }

// String returns the text form of the reference after the sign "+" if it was
// created and "*" if it was updated (GH-25).
func (e RefEvent) String() string {
	if e.Created {
		return "+" + e.Ref.String()
	}
	return "*" + e.Ref.String()
}

// String returns the identity of the reference after the sign "-" (GH-25).
func (e RefRemoved) String() string { return "-" + e.Ref.String() }

// String returns "user/name: events were lost".
func (e EventsLost) String() string { return e.Repo.String() + ": events were lost" }

// String returns "user/name: label".
func (e OtherEvent) String() string { return e.Repo.String() + ": " + oneLine(e.Label) }
