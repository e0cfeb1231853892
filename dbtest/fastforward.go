package dbtest

import "github.com/datakit/datakit"

var fastForwardChecks = []check{
	{"FST21_WithoutHead", fastForwardWithoutHead},
	{"FS53_Descendant", fastForwardDescendant},
	{"FS53_HeadItself", fastForwardHeadItself},
	{"FS53_NotDescendant", fastForwardNotDescendant},
	{"FS53_NoCommit", fastForwardNoCommit},
	{"FS53_LongHistory", fastForwardLongHistory},
}

func fastForwardWithoutHead(e *env) {
	h := e.put("master", files{"f": normal("x")})
	pr := e.db.Branch("pr")
	e.fails("FastForward to an unknown commit", pr.FastForward(e.ctx, unknown), datakit.NotExist)
	e.wantBranches("master")
	e.ok(pr.FastForward(e.ctx, h))
	e.wantHead("pr", h)
	e.wantBranches("master", "pr")
}

func fastForwardDescendant(e *env) {
	h1 := e.put("master", files{"f": normal("1")})
	e.fork("pr", h1)
	h2 := e.put("master", files{"f": normal("2")})
	h3 := e.put("master", files{"f": normal("3")})
	side := e.commitFiles(files{"g": normal("side")})
	merged := e.commitFiles(files{"f": normal("m")}, side, h3) // a descendant by its second parent
	for _, h := range []datakit.Hash{h2, h3, merged} {
		e.ok(e.db.Branch("pr").FastForward(e.ctx, h))
		e.wantHead("pr", h)
	}
	e.wantHead("master", h3)
}

func fastForwardHeadItself(e *env) {
	h := e.put("master", files{"f": normal("x")})
	e.ok(e.db.Branch("master").FastForward(e.ctx, h))
	e.wantHead("master", h)
}

func fastForwardNotDescendant(e *env) {
	h1 := e.put("master", files{"f": normal("1")})
	h2 := e.put("master", files{"f": normal("2")})
	sibling := e.commitFiles(files{"f": normal("sibling")}, h1)
	stranger := e.commitFiles(files{"f": normal("stranger")})
	for name, h := range map[string]datakit.Hash{"a parent": h1, "a sibling": sibling, "a stranger": stranger} {
		e.fails("FastForward to "+name, e.db.Branch("master").FastForward(e.ctx, h), datakit.NotFastForward)
		e.wantHead("master", h2)
	}
}

// fastForwardNoCommit: the name of a tree or a file is not that of a commit.
func fastForwardNoCommit(e *env) {
	h := e.put("master", files{"f": normal("x")})
	for name, bad := range map[string]datakit.Hash{
		"an unknown object": unknown,
		"the zero Hash":     {},
		"the empty tree":    datakit.EmptyTree,
		"a tree":            e.commitOf(h).TreeID,
		"a file":            blobHash("x"),
	} {
		for _, branch := range []string{"master", "new"} {
			e.fails("FastForward of "+branch+" to "+name, e.db.Branch(branch).FastForward(e.ctx, bad), datakit.NotExist)
		}
	}
	e.wantBranches("master")
	e.wantHead("master", h)
}

func fastForwardLongHistory(e *env) {
	first := e.put("master", files{"f": normal("x")})
	e.fork("behind", first)
	var last datakit.Hash
	for range 50 {
		last = e.change("master", func(*txn) {})
	}
	e.ok(e.db.Branch("behind").FastForward(e.ctx, last))
	e.wantHead("behind", last)
	e.fails("FastForward back", e.db.Branch("behind").FastForward(e.ctx, first), datakit.NotFastForward)
}
