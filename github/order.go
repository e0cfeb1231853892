package github

import (
	"cmp"
	"slices"
	"strings"
)

// Compare orders refs by repository, name and commit (GH-20).
func (r Ref) Compare(s Ref) int {
	return cmp.Or(r.ID().Compare(s.ID()), r.Commit.Compare(s.Commit))
}

// Compare orders statuses by repository, hash, context, URL, description and
// state; none comes first (GH-18). It is zero exactly if they are Equal.
func (s Status) Compare(t Status) int {
	return cmp.Or(
		s.ID().Compare(t.ID()),
		strings.Compare(s.URL, t.URL),
		strings.Compare(s.Description, t.Description),
		cmp.Compare(s.State, t.State),
	)
}

// Compare orders pull requests by repository and number, and then by the other
// fields (GH-9). It is zero exactly if they are Equal.
func (p PR) Compare(q PR) int {
	return cmp.Or(
		p.ID().Compare(q.ID()),
		p.Head.Compare(q.Head),
		cmp.Compare(p.State, q.State),
		strings.Compare(p.Title, q.Title),
		strings.Compare(p.Base, q.Base),
		strings.Compare(p.Owner, q.Owner),
		slices.CompareFunc(p.Comments, q.Comments, Comment.Compare),
	)
}

// Compare orders comments by ID, author and body.
func (c Comment) Compare(d Comment) int {
	return cmp.Or(cmp.Compare(c.ID, d.ID), strings.Compare(c.Author, d.Author), strings.Compare(c.Body, d.Body))
}
