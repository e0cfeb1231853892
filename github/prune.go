package github

// Prune returns s without what is of no more interest, in each repository
// (GH-31): it keeps the repository, the open PRs, every ref, the commits that
// are the head of one of these, and the statuses of these commits. Whatever
// else keep reports true for stays as well, and its commit with it (GH-90);
// keep may be nil.
func (s Snapshot) Prune(keep func(Element) bool) Snapshot {
	for r := range s.Repos() {
		s = s.PruneRepo(r, keep)
	}
	return s
}

// PruneRepo is Prune for one repository. The others stay as they are.
func (s Snapshot) PruneRepo(r Repo, keep func(Element) bool) Snapshot {
	if keep == nil {
		keep = func(Element) bool { return false }
	}
	pruned := s
	needed := map[Commit]bool{}
	for ref := range s.RefsOf(r) {
		needed[ref.Commit] = true
	}
	for pr := range s.PRsOf(r) {
		if pr.State == Open || keep(pr) {
			needed[pr.Head] = true
		} else {
			pruned.remove(pr.ID())
		}
	}
	var rest []Status // of commits that nothing was found to need so far
	for st := range s.StatusesOf(r) {
		switch {
		case needed[st.Commit]:
		case keep(st):
			needed[st.Commit] = true
		default:
			rest = append(rest, st)
		}
	}
	for c := range s.CommitsOf(r) {
		needed[c] = needed[c] || keep(c)
	}
	for _, st := range rest {
		if !needed[st.Commit] {
			pruned.remove(st.ID())
		}
	}
	for c := range s.CommitsOf(r) {
		if !needed[c] {
			pruned.remove(c)
		}
	}
	return pruned
}
