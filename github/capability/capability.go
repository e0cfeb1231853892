// Package capability says what the sync may read and write: of which kinds of
// elements, of which statuses, in which repositories (spec/github.md, section
// 5). A [Set] is written as in "*:r,status[ci/datakit]:x,webhook:rw".
package capability

import (
	"maps"
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// An Op is something that may be allowed.
type Op uint8

// The operations. What is Exclusive may be read and written as well, and what
// the branch says about it always wins.
const (
	Read Op = 1 << iota
	Write
	Exclusive
)

// String returns "read", "write" or "exclusive".
func (o Op) String() string {
	return map[Op]string{Read: "read", Write: "write", Exclusive: "exclusive"}[o]
}

// Permissions are what an entry allows: a sum of Ops.
type Permissions uint8

// Allow reports whether p includes o. Exclusive includes the others (GH-149).
func (p Permissions) Allow(o Op) bool { return p&Permissions(o|Exclusive) != 0 }

// String returns the letters of the operations in the order x, r, w.
func (p Permissions) String() string {
	var s strings.Builder
	for _, l := range letters {
		if p&Permissions(l.op) != 0 {
			s.WriteByte(l.letter)
		}
	}
	return s.String()
}

var letters = [...]struct {
	letter byte
	op     Op
}{{'x', Exclusive}, {'r', Read}, {'w', Write}}

// A Resource is what permissions are for, in the words of the string form:
// "pr", "commit", "ref", "webhook", "status" or "status[ci/datakit]", "repo" or
// "repo[user/name]", or Default.
type Resource string

// The resources without a path.
const (
	Default Resource = "*" // all that no entry matches
	PR      Resource = "pr"
	Commit  Resource = "commit"
	Ref     Resource = "ref"
	Webhook Resource = "webhook"

	AnyStatus Resource = "status" // the contexts without an entry of their own
	AnyRepo   Resource = "repo"   // the repositories without an entry of their own
)

// Status returns the resource of the statuses of a context.
func Status(c github.Context) Resource { return AnyStatus + "[" + Resource(c) + "]" }

// Repo returns the resource of a repository.
func Repo(r github.Repo) Resource { return AnyRepo + "[" + Resource(r.String()) + "]" }

// Of returns the resource that an element or its identity belongs to (GH-151).
func Of(id github.ID) Resource {
	switch id := id.(type) {
	case github.PRID:
		return PR
	case github.StatusID:
		return Status(id.Context)
	case github.RefID:
		return Ref
	case github.Repo:
		return Repo(id)
	default:
		return Commit
	}
}

// path returns the path in brackets, and the resource without it.
func (r Resource) path() (base Resource, path datakit.Path) {
	b, rest, ok := strings.Cut(string(r), "[")
	if !ok {
		return r, datakit.Root
	}
	return Resource(b), datakit.Path(strings.TrimSuffix(rest, "]"))
}

// A Set is the permissions of all resources. It never changes; the zero Set
// allows nothing.
type Set struct {
	entries map[Resource]Permissions // never changed; Default among them if it has permissions
}

// All returns "*:rw": read and write everything, nothing exclusively. It is
// the default everywhere (GH-147).
func All() Set {
	return Set{map[Resource]Permissions{Default: Permissions(Read | Write)}}
}

// None returns "*:", the zero Set (GH-147).
func None() Set { return Set{} }

// Allows reports whether op is allowed on the resource. Exactly one entry
// decides (GH-150): that of the longest path which is a prefix, step by step,
// of the resource's; else the one without a path; else the Default.
func (s Set) Allows(op Op, r Resource) bool { return s.For(r).Allow(op) }

// For returns the permissions of the resource.
func (s Set) For(r Resource) Permissions {
	base, path := r.path()
	for ; path != datakit.Root; path = path.Dir() {
		if p, ok := s.entries[base+"["+Resource(path)+"]"]; ok {
			return p
		}
	}
	if p, ok := s.entries[base]; ok {
		return p
	}
	return s.entries[Default]
}

// Syncs reports whether the repository may be synchronised at all: if there is
// an entry for any repository, the one that decides must allow reading
// (GH-153). The Default does not matter.
func (s Set) Syncs(r github.Repo) bool {
	for e := range s.entries {
		if base, _ := e.path(); base == AnyRepo {
			own := s.with(Default, 0)
			return own.Allows(Read, Repo(r))
		}
	}
	return true
}

// Filter returns the part of d on which op is allowed (GH-151).
func (s Set) Filter(op Op, d github.Diff) github.Diff {
	return d.Filter(func(id github.ID) bool { return s.Allows(op, Of(id)) })
}

// Allow returns s with op allowed on the resource, or on the Default. A
// resource without an entry starts from the permissions that it had (GH-152).
func (s Set) Allow(op Op, r Resource) Set { return s.with(r, s.For(r)|Permissions(op)) }

// Disallow returns s with op denied on the resource, or on the Default; the
// other two stay as they were, but for Exclusive, which ends with either of
// Read and Write (GH-152).
func (s Set) Disallow(op Op, r Resource) Set {
	p := s.For(r)
	if p.Allow(Exclusive) {
		p = Permissions(Read | Write | Exclusive)
	}
	return s.with(r, p&^Permissions(op|Exclusive))
}

// with returns s with an entry.
func (s Set) with(r Resource, p Permissions) Set {
	entries := maps.Clone(s.entries)
	if entries == nil {
		entries = map[Resource]Permissions{}
	}
	entries[r] = p
	return normalise(entries)
}

// normalise returns the Set of the entries, which it owns from then on. Where
// the Default is none, an entry that denies what is denied without it is left
// out, as in printing (GH-146). Entries of repositories stay: that there is one
// has a meaning of its own (GH-153).
func normalise(entries map[Resource]Permissions) Set {
	s := Set{entries}
	if s.entries[Default] != 0 {
		return s
	}
	delete(entries, Default)
	longestFirst := slices.SortedFunc(maps.Keys(entries), func(a, b Resource) int { return len(b) - len(a) })
	for _, r := range longestFirst {
		if base, _ := r.path(); base == AnyRepo || entries[r] != 0 {
			continue
		}
		delete(entries, r)
		if s.For(r) != 0 {
			entries[r] = 0
		}
	}
	return s
}

// Equal reports whether both have the same default and the same entries
// (GH-148).
func (s Set) Equal(t Set) bool { return maps.Equal(s.entries, t.entries) }

// String returns a text that Parse reads as s (GH-146): "*:OPS" first, then the
// other entries in alphabetical order.
func (s Set) String() string {
	if len(s.entries) == 0 {
		return "*:"
	}
	var parts []string
	for _, r := range slices.Sorted(maps.Keys(s.entries)) { // "*" sorts before all letters
		parts = append(parts, string(r)+":"+s.entries[r].String())
	}
	return strings.Join(parts, ",")
}
