package github

import "cmp"

// An Element is a value of the model: a Ref, Status, PR, Commit or Repo
// (GH-26). No other types implement it.
type Element interface {
	// Identity returns by what the element is found: a RefID, StatusID or
	// PRID, and for a Commit and a Repo the element itself.
	Identity() ID

	// Repository returns the repository that the element belongs to, and for
	// a Repo itself.
	Repository() Repo

	// String returns the text form of commit messages and logs (GH-27).
	String() string

	isElement()
}

// An ID identifies an Element: it is a RefID, StatusID, PRID, Commit or Repo.
// No other types implement it. IDs can be compared with == and used as keys.
type ID interface {
	// Repository returns the repository that the element belongs to.
	Repository() Repo

	// String returns the text form of commit messages and logs (GH-27).
	String() string

	kind() kind
}

// A kind tells the elements apart. The numbers are the order of GH-26.
type kind uint8

const (
	refKind kind = iota
	statusKind
	prKind
	commitKind
	repoKind
)

var (
	_ Element = Ref{}
	_ Element = Status{}
	_ Element = PR{}
	_ Element = Commit{}
	_ Element = Repo{}
)

func (r Ref) isElement()    {}
func (s Status) isElement() {}
func (p PR) isElement()     {}
func (c Commit) isElement() {}
func (r Repo) isElement()   {}

func (r RefID) kind() kind    { return refKind }
func (s StatusID) kind() kind { return statusKind }
func (p PRID) kind() kind     { return prKind }
func (c Commit) kind() kind   { return commitKind }
func (r Repo) kind() kind     { return repoKind }

// Identity returns r.ID().
func (r Ref) Identity() ID { return r.ID() }

// Identity returns s.ID().
func (s Status) Identity() ID { return s.ID() }

// Identity returns p.ID().
func (p PR) Identity() ID { return p.ID() }

// Identity returns c.
func (c Commit) Identity() ID { return c }

// Identity returns r.
func (r Repo) Identity() ID { return r }

// Repository returns the repository of the commit.
func (r Ref) Repository() Repo { return r.Commit.Repo }

// Repository returns the repository of the commit.
func (s Status) Repository() Repo { return s.Commit.Repo }

// Repository returns the repository that received p.
func (p PR) Repository() Repo { return p.Head.Repo }

// Repository returns c.Repo.
func (c Commit) Repository() Repo { return c.Repo }

// Repository returns r.
func (r Repo) Repository() Repo { return r }

// Repository returns r.Repo.
func (r RefID) Repository() Repo { return r.Repo }

// Repository returns the repository of the commit.
func (s StatusID) Repository() Repo { return s.Commit.Repo }

// Repository returns p.Repo.
func (p PRID) Repository() Repo { return p.Repo }

// CompareIDs orders identities by kind (refs, statuses, PRs, commits,
// repositories) and then as their kind does (GH-26). The result is negative,
// zero or positive.
func CompareIDs(a, b ID) int {
	if c := cmp.Compare(a.kind(), b.kind()); c != 0 {
		return c
	}
	switch a := a.(type) {
	case RefID:
		return a.Compare(b.(RefID))
	case StatusID:
		return a.Compare(b.(StatusID))
	case PRID:
		return a.Compare(b.(PRID))
	case Commit:
		return a.Compare(b.(Commit))
	default:
		return a.(Repo).Compare(b.(Repo))
	}
}

// CompareElements orders elements by kind (refs, statuses, PRs, commits,
// repositories) and then as their kind does (GH-26). The result is negative,
// zero or positive; it is zero exactly for equal elements.
func CompareElements(a, b Element) int {
	if c := CompareIDs(a.Identity(), b.Identity()); c != 0 {
		return c
	}
	switch a := a.(type) {
	case Ref:
		return a.Compare(b.(Ref))
	case Status:
		return a.Compare(b.(Status))
	case PR:
		return a.Compare(b.(PR))
	}
	return 0 // commits and repositories are their identities
}
