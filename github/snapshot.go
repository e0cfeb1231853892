package github

// A Snapshot is what is known of GitHub at one moment: sets of repositories,
// commits, statuses, pull requests and references, with at most one value for
// each identity (GH-28). It is closed: the commit of every status, PR and ref
// is in it, and the repository of every element (GH-29).
//
// A Snapshot never changes; methods return another one that shares with it
// what stays the same. So it is cheap to copy and to keep, and may be used by
// several goroutines at once. An operation on one element costs the logarithm
// of the number of elements, one on a repository the number of the elements of
// that repository. The zero Snapshot is empty.
type Snapshot struct {
	refs     set[RefID, Ref]
	statuses set[StatusID, Status]
	prs      set[PRID, PR]
	commits  set[Commit, int] // with the number of refs, statuses and PRs that need it
	repos    set[Repo, struct{}]
}

// NewSnapshot returns the snapshot of the elements and of the commits and
// repositories that they need. Of two values of one identity the last counts.
func NewSnapshot(elements ...Element) Snapshot { return Snapshot{}.Add(elements...) }

// Add returns s with the elements, each in the place of the one with the same
// identity, and with the commits and repositories that they need.
func (s Snapshot) Add(elements ...Element) Snapshot {
	for _, e := range elements {
		s.add(e)
	}
	return s
}

func (s *Snapshot) add(e Element) {
	switch e := e.(type) {
	case Ref:
		old, _ := s.refs.get(e.ID())
		s.use(old.Commit, e.Commit)
		s.refs = s.refs.put(e.ID(), e)
	case Status:
		old, _ := s.statuses.get(e.ID())
		s.use(old.Commit, e.Commit)
		s.statuses = s.statuses.put(e.ID(), e)
	case PR:
		old, _ := s.prs.get(e.ID())
		s.use(old.Head, e.Head)
		s.prs = s.prs.put(e.ID(), e)
	case Commit:
		s.addCommit(e)
	case Repo:
		s.addRepo(e)
	}
}

func (s *Snapshot) addCommit(c Commit) {
	if _, ok := s.commits.get(c); !ok {
		s.commits = s.commits.put(c, 0)
	}
	s.addRepo(c.Repo)
}

func (s *Snapshot) addRepo(r Repo) {
	if _, ok := s.repos.get(r); !ok {
		s.repos = s.repos.put(r, struct{}{})
	}
}

// use notes that an element needs the commit now, which is added if it is
// missing, and no longer the commit before. Either may be the zero Commit, for
// none. The commit before stays (GH-30).
func (s *Snapshot) use(before, now Commit) {
	if before == now {
		return
	}
	if n, ok := s.commits.get(before); ok {
		s.commits = s.commits.put(before, n-1)
	}
	if now != (Commit{}) {
		s.addRepo(now.Repo)
		n, _ := s.commits.get(now)
		s.commits = s.commits.put(now, n+1)
	}
}

// Remove returns s without the elements of the given identities (GH-30). With
// a repository goes all that belongs to it. A commit goes alone, and only if no
// ref, status or PR needs it. The commit of any other element stays.
func (s Snapshot) Remove(ids ...ID) Snapshot {
	for _, id := range ids {
		s.remove(id)
	}
	return s
}

func (s *Snapshot) remove(id ID) {
	switch id := id.(type) {
	case RefID:
		if old, ok := s.refs.get(id); ok {
			s.refs = s.refs.remove(id)
			s.use(old.Commit, Commit{})
		}
	case StatusID:
		if _, ok := s.statuses.get(id); ok {
			s.statuses = s.statuses.remove(id)
			s.use(id.Commit, Commit{})
		}
	case PRID:
		if old, ok := s.prs.get(id); ok {
			s.prs = s.prs.remove(id)
			s.use(old.Head, Commit{})
		}
	case Commit:
		if !s.Needs(id) {
			s.commits = s.commits.remove(id)
		}
	case Repo:
		s.removeRepo(id)
	}
}

func (s *Snapshot) removeRepo(r Repo) {
	for id := range s.RefsOf(r) {
		s.refs = s.refs.remove(id.ID())
	}
	for id := range s.StatusesOf(r) {
		s.statuses = s.statuses.remove(id.ID())
	}
	for id := range s.PRsOf(r) {
		s.prs = s.prs.remove(id.ID())
	}
	for c := range s.CommitsOf(r) {
		s.commits = s.commits.remove(c)
	}
	s.repos = s.repos.remove(r)
}

// Union returns the elements of both; for an identity in both, the value of t.
func (s Snapshot) Union(t Snapshot) Snapshot {
	for e := range t.Elements() {
		s.add(e)
	}
	return s
}

// Only returns the part of s that is in the given repositories.
func (s Snapshot) Only(repos ...Repo) Snapshot {
	var part Snapshot
	for _, r := range repos {
		for e := range s.ElementsOf(r) {
			part.add(e)
		}
	}
	return part
}

// Find returns the element of an identity.
func (s Snapshot) Find(id ID) (e Element, ok bool) {
	switch id := id.(type) {
	case RefID:
		return s.refs.get(id)
	case StatusID:
		return s.statuses.get(id)
	case PRID:
		return s.prs.get(id)
	case Commit:
		_, ok = s.commits.get(id)
		return id, ok
	case Repo:
		_, ok = s.repos.get(id)
		return id, ok
	}
	return nil, false
}

// Has reports whether s has an element of the identity.
func (s Snapshot) Has(id ID) bool {
	_, ok := s.Find(id)
	return ok
}

// Needs reports whether a ref, status or PR of s is of commit c.
func (s Snapshot) Needs(c Commit) bool {
	n, _ := s.commits.get(c)
	return n > 0
}

// IsEmpty reports whether s has no element.
func (s Snapshot) IsEmpty() bool { return s.repos.root == nil } // as s is closed

// Equal reports whether s and t have equal elements. It costs as much as they
// differ if one was made from the other.
func (s Snapshot) Equal(t Snapshot) bool { return Compute(s, t).IsEmpty() }
