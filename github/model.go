package github

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/datakit/datakit"
)

// A Commit is a hash in a repository. The hash is opaque text that is a step
// of a path; only GitHub itself insists on 40 hexadecimal digits.
type Commit struct {
	Repo Repo
	Hash string
}

// NewCommit returns the commit of the trimmed hash (GH-8). The error is
// Invalid if it cannot be a step.
func NewCommit(r Repo, hash string) (Commit, error) {
	hash = Trim(hash)
	if err := datakit.CheckName(hash); err != nil {
		return Commit{}, invalid("hash %q of a commit of %s: %w", hash, r, err)
	}
	return Commit{r, hash}, nil
}

// Compare orders commits by repository, then by hash.
func (c Commit) Compare(d Commit) int {
	return cmp.Or(c.Repo.Compare(d.Repo), strings.Compare(c.Hash, d.Hash))
}

// Short returns the first 6 characters of the hash.
func (c Commit) Short() string { return c.Hash[:min(6, len(c.Hash))] }

// DefaultBase is the base of a pull request of which none is known.
const DefaultBase = "master"

// A PRState is the state of a pull request. The zero PRState is Open.
type PRState uint8

// The states of a pull request. GitHub calls a merged one closed.
const (
	Open PRState = iota
	Closed
)

// A Comment is a remark in the conversation of a pull request (GH-11).
type Comment struct {
	ID     int64  // GitHub's number; 0 is the pull request's own body
	Author string // a login
	Body   string // byte for byte as it was written, never trimmed
}

// A PRID identifies a pull request: the repository that received it, and its
// number there.
type PRID struct {
	Repo   Repo
	Number int
}

// Compare orders by repository, then by number.
func (p PRID) Compare(q PRID) int {
	return cmp.Or(p.Repo.Compare(q.Repo), cmp.Compare(p.Number, q.Number))
}

// A PR is a pull request (spec/github.md, section 1.4). Its head counts as a
// commit of the repository that received it, also when it lies in a fork.
type PR struct {
	Head     Commit
	Number   int
	State    PRState
	Title    string    // trimmed
	Base     string    // the name of the branch to merge into, trimmed
	Owner    string    // a login
	Comments []Comment // oldest first; from GitHub, the first is the body (GH-12). Shared: never changed in place.

	// Updated is when GitHub last changed it, to tell an old event from a new
	// one (GH-108); zero where that is not known. It is no part of the value:
	// Equal and Compare pass over it.
	Updated time.Time
}

// ID returns the identity of p.
func (p PR) ID() PRID { return PRID{p.Head.Repo, p.Number} }

// Equal reports whether all seven fields are equal, comments included (GH-9).
func (p PR) Equal(q PR) bool {
	return p.Head == q.Head && p.Number == q.Number && p.State == q.State && p.Title == q.Title &&
		p.Base == q.Base && p.Owner == q.Owner && slices.Equal(p.Comments, q.Comments)
}

// Close returns p as it is when closed, and otherwise unchanged (GH-10).
func (p PR) Close() PR {
	p.State = Closed
	return p
}

// A StatusState is how a build went.
type StatusState uint8

// The states of a build. There is no zero StatusState: a status always has one.
const (
	Errored StatusState = iota + 1
	Pending
	Success
	Failure
)

// A Context names what a status is about: a path of at least one step, such as
// "ci/datakit". Make one with ParseContext.
type Context string

// DefaultContext is the context of a status that names none (GH-13).
const DefaultContext Context = "default"

// A StatusID identifies a status.
type StatusID struct {
	Commit  Commit
	Context Context
}

// Compare orders by commit, then by context, step by step.
func (s StatusID) Compare(t StatusID) int {
	return cmp.Or(s.Commit.Compare(t.Commit), datakit.Path(s.Context).Compare(datakit.Path(t.Context)))
}

// A Status is the result of a build of a commit (spec/github.md, section 1.5).
// Build it with NewStatus, which normalises it.
type Status struct {
	Commit      Commit
	Context     Context
	State       StatusState
	Description string // at most MaxDescription code points, trimmed; "" for none
	URL         string // kept as text; "" for none

	// Serial is GitHub's id of the status, which grows, to tell an old event
	// from a new one (GH-108); 0 where that is not known. It is no part of the
	// value: Equal and Compare pass over it.
	Serial int64
}

// ID returns the identity of s.
func (s Status) ID() StatusID { return StatusID{s.Commit, s.Context} }

// Equal reports whether all fields but Serial are equal (GH-18).
func (s Status) Equal(t Status) bool {
	s.Serial, t.Serial = 0, 0
	return s == t
}

// A RefName is the name of a Git reference without the leading "refs": a path
// such as "heads/master". Make one with ParseRefName.
type RefName string

// A RefID identifies a reference.
type RefID struct {
	Repo Repo
	Name RefName
}

// Compare orders by repository, then by name, step by step.
func (r RefID) Compare(s RefID) int {
	return cmp.Or(r.Repo.Compare(s.Repo), datakit.Path(r.Name).Compare(datakit.Path(s.Name)))
}

// A Ref is a Git reference: a name of a commit (spec/github.md, section 1.6).
// It is a value to be compared with ==.
type Ref struct {
	Commit Commit
	Name   RefName
}

// ID returns the identity of r.
func (r Ref) ID() RefID { return RefID{r.Commit.Repo, r.Name} }
