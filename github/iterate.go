package github

import "iter"

// Refs yields the references in order.
func (s Snapshot) Refs() iter.Seq[Ref] { return values(s.refs.all()) }

// Statuses yields the statuses in order.
func (s Snapshot) Statuses() iter.Seq[Status] { return values(s.statuses.all()) }

// PRs yields the pull requests in order.
func (s Snapshot) PRs() iter.Seq[PR] { return values(s.prs.all()) }

// Commits yields the commits in order.
func (s Snapshot) Commits() iter.Seq[Commit] { return keys(s.commits.all()) }

// Repos yields the repositories in order.
func (s Snapshot) Repos() iter.Seq[Repo] { return keys(s.repos.all()) }

// RefsOf yields the references of a repository in order.
func (s Snapshot) RefsOf(r Repo) iter.Seq[Ref] { return values(s.refs.within(in[RefID](r))) }

// StatusesOf yields the statuses of a repository in order.
func (s Snapshot) StatusesOf(r Repo) iter.Seq[Status] {
	return values(s.statuses.within(in[StatusID](r)))
}

// StatusesAt yields the statuses of a commit in order.
func (s Snapshot) StatusesAt(c Commit) iter.Seq[Status] {
	return values(s.statuses.within(func(id StatusID) int { return id.Commit.Compare(c) }))
}

// PRsOf yields the pull requests of a repository in order.
func (s Snapshot) PRsOf(r Repo) iter.Seq[PR] { return values(s.prs.within(in[PRID](r))) }

// CommitsOf yields the commits of a repository in order.
func (s Snapshot) CommitsOf(r Repo) iter.Seq[Commit] { return keys(s.commits.within(in[Commit](r))) }

// Elements yields all elements, the kinds in the order of GH-26.
func (s Snapshot) Elements() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		_ = each(s.Refs(), yield) && each(s.Statuses(), yield) && each(s.PRs(), yield) &&
			each(s.Commits(), yield) && each(s.Repos(), yield)
	}
}

// ElementsOf yields the elements of a repository, itself among them, the kinds
// in the order of GH-26.
func (s Snapshot) ElementsOf(r Repo) iter.Seq[Element] {
	return func(yield func(Element) bool) {
		_ = each(s.RefsOf(r), yield) && each(s.StatusesOf(r), yield) && each(s.PRsOf(r), yield) &&
			each(s.CommitsOf(r), yield) && s.Has(r) && yield(r)
	}
}

// each yields all of seq and reports whether it got to the end.
func each[E Element](seq iter.Seq[E], yield func(Element) bool) bool {
	for e := range seq {
		if !yield(e) {
			return false
		}
	}
	return true
}

// in tells where an identity is relative to those of a repository.
func in[K ID](r Repo) func(K) int {
	return func(id K) int { return id.Repository().Compare(r) }
}

func keys[K, V any](seq iter.Seq2[K, V]) iter.Seq[K] {
	return func(yield func(K) bool) {
		for k := range seq {
			if !yield(k) {
				return
			}
		}
	}
}

func values[K, V any](seq iter.Seq2[K, V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, v := range seq {
			if !yield(v) {
				return
			}
		}
	}
}
