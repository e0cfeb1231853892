package dbtest

import (
	"errors"
	"strings"

	"github.com/datakit/datakit"
)

var branchNameChecks = []check{
	{"FS27_AnyValidName", anyValidName},
	{"FS27_MalformedName", malformedBranchName},
	{"FS29_NameAboveBranch", nameAboveBranch},
	{"FS29_NameBelowBranch", nameBelowBranch},
	{"FS29_NameFreeAgain", nameFreeAgain},
}

func anyValidName(e *env) {
	long := strings.Repeat("n", 100)
	names := []string{"!", "-a", "@", "HEAD", "a%2Fb", "a-b_c.d", "a/b/c", long, "{x}", "é"}
	heads := map[string]datakit.Hash{}
	for _, name := range names {
		heads[name] = e.put(name, files{"f": normal(name)})
	}
	e.wantBranches(names...)
	for _, name := range names {
		e.wantHead(name, heads[name])
		w, err := e.db.Branch(name).Watch(e.ctx)
		e.ok(err)
		e.next(w, heads[name])
		e.ok(w.Close())
	}
}

// branchCalls are all that can be done with the name of a branch.
var branchCalls = []struct {
	name string
	call func(e *env, b *datakit.Branch) error
}{
	{"Head", func(e *env, b *datakit.Branch) error { _, err := b.Head(e.ctx); return err }},
	{"Tree", func(e *env, b *datakit.Branch) error { _, err := b.Tree(e.ctx); return err }},
	{"Begin", func(e *env, b *datakit.Branch) error { _, err := b.Begin(e.ctx); return err }},
	{"Diff", func(e *env, b *datakit.Branch) error { _, err := b.Diff(e.ctx, e.head("master")); return err }},
	{"FastForward", func(e *env, b *datakit.Branch) error { return b.FastForward(e.ctx, e.head("master")) }},
	{"Remove", func(e *env, b *datakit.Branch) error { return b.Remove(e.ctx) }},
	{"Rename", func(e *env, b *datakit.Branch) error { return b.Rename(e.ctx, "fine") }},
	{"Rename to", func(e *env, b *datakit.Branch) error { return e.db.Branch("master").Rename(e.ctx, b.Name()) }},
	{"Watch", func(e *env, b *datakit.Branch) error { _, err := b.Watch(e.ctx); return err }},
	{"WatchPath", func(e *env, b *datakit.Branch) error { _, err := b.WatchPath(e.ctx, "f"); return err }},
	{"Reflog", func(e *env, b *datakit.Branch) error { _, err := b.Reflog(e.ctx); return err }},
	{"Update", func(e *env, b *datakit.Branch) error {
		return b.Update(e.ctx, "m", func(*datakit.Tx) error { panic("called") })
	}},
	{"With", func(e *env, b *datakit.Branch) error {
		return b.With(e.ctx, func(*datakit.Tx) error { panic("called") })
	}},
	{"Retarget", func(e *env, b *datakit.Branch) error { return e.begin("master").Retarget(e.ctx, b.Name()) }},
	{"Fetch", func(e *env, b *datakit.Branch) error { _, err := e.db.Fetch(e.ctx, "/", b.Name()); return err }},
}

func malformedBranchName(e *env) {
	h := e.put("master", files{"f": normal("x")})
	for _, name := range []string{"", "/", "a/", "/a", "a//b", ".a", "a..b", "a b", "a.lock", "a/b.lock/c", "a:b", "a\\b", "a\x00", "a."} {
		for _, c := range branchCalls {
			e.fails(c.name+" of branch "+name, c.call(e, e.db.Branch(name)), datakit.Invalid)
		}
	}
	e.wantBranches("master")
	e.wantHead("master", h)
}

func nameAboveBranch(e *env) {
	e.put("a/b/c", files{"f": normal("x")})
	for _, name := range []string{"a", "a/b"} {
		nameIsRefused(e, name, "a/b/c")
	}
}

func nameBelowBranch(e *env) {
	e.put("a", files{"f": normal("x")})
	for _, name := range []string{"a/b", "a/b/c"} {
		nameIsRefused(e, name, "a")
	}
}

// nameIsRefused: no call makes branch name beside other.
func nameIsRefused(e *env, name, other string) {
	h := e.put("spare", files{"f": normal("y")})
	conflicts := func(what string, err error) {
		e.fails(what, err, datakit.Exist)
		var c *datakit.BranchConflictError
		if !errors.As(err, &c) || c.Other != other {
			e.Errorf("%s: %v, want it to name branch %q", what, err, other)
		}
	}
	b := e.db.Branch(name)
	conflicts("a commit to "+name, b.Update(e.ctx, "m", func(tx *datakit.Tx) error {
		return tx.WriteFile(e.ctx, "f", nil)
	}))
	conflicts("FastForward of "+name, b.FastForward(e.ctx, h))
	conflicts("Rename to "+name, e.db.Branch("spare").Rename(e.ctx, name))
	e.wantBranches(other, "spare")
	e.wantHead("spare", h)
}

func nameFreeAgain(e *env) {
	h := e.put("a", files{"f": normal("x")})
	e.ok(e.db.Branch("a").Remove(e.ctx))
	e.fork("a/b", h)
	e.ok(e.db.Branch("a/b").Rename(e.ctx, "c"))
	e.fork("a", h)
	e.wantBranches("a", "c")
}
