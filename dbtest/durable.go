package dbtest

import "github.com/datakit/datakit"

var durableChecks = []check{
	{"FS8_CommitsSurviveReopening", commitsSurvive},
	{"FS96_TransactionsDoNotSurvive", transactionsDoNotSurvive},
}

// reopen closes the database and opens it again.
func (e *env) reopen() {
	e.Helper()
	if e.cfg.Reopen == nil {
		e.Skip("the database cannot be opened again")
	}
	e.db = e.cfg.Reopen(e.t, e.db)
}

func commitsSurvive(e *env) {
	a := e.put("a", files{"f": normal("1"), "d/x": executable("2")})
	b := e.put("feature/b", files{"l": symlink("t")})
	e.put("gone", files{"f": normal("x")})
	e.ok(e.db.Branch("gone").Remove(e.ctx))
	e.ok(e.db.Branch("a").Rename(e.ctx, "renamed"))
	e.reopen()
	e.wantBranches("feature/b", "renamed")
	e.wantHead("renamed", a)
	e.wantHead("feature/b", b)
	e.wantFiles("renamed", e.tree("renamed"), files{"f": normal("1"), "d/x": executable("2")})
	next := e.put("renamed", files{"g": normal("3")})
	e.reopen()
	e.same("parents", e.parents(next), []datakit.Hash{a})
	e.wantHead("renamed", next)
}

func transactionsDoNotSurvive(e *env) {
	h := e.put("master", files{"f": normal("1")})
	tx := e.begin("master")
	tx.write("f", "2")
	e.reopen()
	e.fails("Commit", tx.Commit(e.ctx, "m"), datakit.Closed)
	e.wantHead("master", h)
	e.wantFiles("master", e.tree("master"), files{"f": normal("1")})
}
