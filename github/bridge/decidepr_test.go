package bridge

import (
	"testing"

	"github.com/datakit/datakit/github"
)

var testRepo = github.Repo{User: "test", Name: "test"}

// pullRequests are the values that the sides of a test may have: absent, and
// all combinations of two titles, two states and two bases. Owner, head and
// comments tell the sides apart.
func pullRequests(side string) []*github.PR {
	prs := []*github.PR{nil}
	for i := range 8 {
		prs = append(prs, &github.PR{
			Head:     github.Commit{Repo: testRepo, Hash: "head-" + side},
			Number:   7,
			Title:    []string{"one", "two"}[i&1],
			State:    []github.PRState{github.Open, github.Closed}[i>>1&1],
			Base:     []string{"master", "test"}[i>>2],
			Owner:    "owner-" + side,
			Comments: []github.Comment{{Author: "author-" + side}},
		})
	}
	return prs
}

func eachPR(do func(p string, first bool, v sided[github.PR])) {
	for name := range perms {
		for _, b := range pullRequests("b") {
			for _, g := range pullRequests("g") {
				for _, a := range pullRequests("a") {
					do(name, true, sided[github.PR]{b, g, a})
					do(name, false, sided[github.PR]{b, g, a})
				}
			}
		}
	}
}

// wantField is the rule of GH-118 for one field. known says whether there is
// an agreed value.
func wantField[V comparable](perms string, first, known bool, b, g, a V) (t V, send bool) {
	switch {
	case perms == "w" && (first || known && b == a), perms == "x" && b == g, perms == "rw" && b == g:
		return b, false
	case perms == "rw" && known && b == a:
		return g, false
	}
	return b, true
}

func wantPR(t *testing.T, perms string, first bool, v sided[github.PR], got prVerdict) {
	g := github.PR{}
	switch {
	case perms != "w" && v.g != nil:
		g = *v.g
	case perms != "w" && v.a != nil:
		g = v.a.Close()
	}
	a := v.a
	if a == nil {
		a = &github.PR{}
	}
	known := v.a != nil
	title, sendTitle := wantField(perms, first, known, v.b.Title, g.Title, a.Title)
	state, sendState := wantField(perms, first, known, v.b.State, g.State, a.State)
	base, sendBase := wantField(perms, first, known, v.b.Base, g.Base, a.Base)
	want := *v.b
	if perms != "w" {
		want = g // GH-124: head, owner and comments always come from GitHub
	}
	want.Title, want.State, want.Base = title, state, base
	if got.t == nil || !got.t.Equal(want) || got.forget || got.ask {
		t.Fatalf("%s first %t %v: %+v, want %v", perms, first, texts(v), got, want)
	}
	var change github.PRChange
	if got.send != nil {
		change = *got.send
	}
	checkSent(t, "title", change.Title, sendTitle, title)
	checkSent(t, "state", change.State, sendState, state)
	checkSent(t, "base", change.Base, sendBase, base)
	if got.sent == nil || !got.sent.Equal(want) {
		t.Errorf("%s first %t %v: agreed after sending %v, want %v", perms, first, texts(v), got.sent, want)
	}
}

func checkSent[V comparable](t *testing.T, name string, got *V, send bool, want V) {
	if (got != nil) != send || got != nil && *got != want {
		t.Errorf("%s sent: %v, want %t (%v)", name, got, send, want)
	}
}

func texts(v sided[github.PR]) (list []string) {
	for _, p := range []*github.PR{v.b, v.g, v.a} {
		s := "none"
		if p != nil {
			s = p.String()
		}
		list = append(list, s)
	}
	return list
}

// TestGH124_GH125_FieldByField compares the verdict on every combination of
// the three sides with the rule for single fields.
func TestGH124_GH125_FieldByField(t *testing.T) {
	t.Parallel()
	eachPR(func(name string, first bool, v sided[github.PR]) {
		got := decidePR(perms[name], first, v)
		switch {
		case name == "none" || name == "r" || v.b == nil || name == "rw" && first:
			return // as a whole: below
		case name != "w" && v.g == nil && v.a == nil:
			if !got.ask {
				t.Errorf("%s first %t %v: %+v, want that GitHub is asked", name, first, texts(v), got)
			}
			return
		}
		wantPR(t, name, first, v, got)
	})
}

// TestGH126_PRsAsAWhole checks what does not go field by field: values that
// are taken from GitHub or left, and removals, which are never sent.
func TestGH126_PRsAsAWhole(t *testing.T) {
	t.Parallel()
	eachPR(func(name string, first bool, v sided[github.PR]) {
		got := decidePR(perms[name], first, v)
		var want prVerdict
		switch {
		case name == "none":
			want = prVerdict{t: v.b, a: v.a, sent: v.a}
		case name == "r", name == "rw" && first, name == "rw" && v.b == nil && v.a == nil:
			want = prVerdict{t: v.g, a: v.g, sent: v.g}
		case v.b != nil:
			return
		case name == "w":
			want.forget = !first && v.a != nil
		default:
			want.forget = v.g != nil
		}
		if got != want {
			t.Errorf("%s first %t %v: %+v, want %+v", name, first, texts(v), got, want)
		}
	})
}

// TestGH111_PendingFieldsStayDifferent checks that what is agreed while a
// field cannot be sent makes the next sync send it again, and nothing else.
func TestGH111_PendingFieldsStayDifferent(t *testing.T) {
	t.Parallel()
	eachPR(func(name string, first bool, v sided[github.PR]) {
		got := decidePR(perms[name], first, v)
		if got.send == nil {
			return
		}
		again := decidePR(perms[name], false, sided[github.PR]{got.t, v.g, got.a})
		if again.send == nil || !sameChange(*again.send, *got.send) {
			t.Errorf("%s first %t %v: sends %v, then %v", name, first, texts(v), got.send, again.send)
		}
		after := decidePR(perms[name], false, sided[github.PR]{got.t, got.sent, got.sent})
		if after.send != nil || !after.t.Equal(*got.t) {
			t.Errorf("%s first %t %v: after the sending %+v", name, first, texts(v), after)
		}
	})
}

func sameChange(a, b github.PRChange) bool {
	return same(a.Title, b.Title) && same(a.State, b.State) && same(a.Base, b.Base)
}

func same[V comparable](a, b *V) bool {
	return a == b || a != nil && b != nil && *a == *b
}
