package dbtest

import (
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/datakit/datakit"
)

// A branchModel is the heads of a group of branches, and what readers of their
// reflogs must get.
type branchModel struct {
	heads map[string]datakit.Hash
	logs  map[string][]datakit.Hash
}

// set moves a head, if it is not there already.
func (m *branchModel) set(name string, h datakit.Hash) {
	if m.heads[name] == h {
		return
	}
	m.heads[name] = h
	m.logs[name] = append(m.logs[name], h)
}

// clashes reports whether another branch has a name that cannot be beside
// name.
func (m *branchModel) clashes(name string) bool {
	for other, h := range m.heads {
		if !h.IsZero() && (strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/")) {
			return true
		}
	}
	return false
}

// branchesAreLikeModel makes, moves, renames and removes branches, and compares
// heads and reflogs with the model.
func branchesAreLikeModel(e *env, rt *rapid.T) {
	group := e.fresh() + "/"
	names := []string{group + "a", group + "a/x", group + "b"}
	m := &branchModel{map[string]datakit.Hash{}, map[string][]datakit.Hash{}}
	logs := map[string]datakit.Watch[datakit.Hash]{}
	for _, name := range names {
		logs[name] = e.reflog(name)
	}
	root := e.commitFiles(files{"f": normal("root")})
	commits := []datakit.Hash{root, e.commitFiles(files{"f": normal("child")}, root), e.commitFiles(files{"f": normal("stranger")})}
	name := rapid.SampledFrom(names)
	rt.Repeat(map[string]func(*rapid.T){
		"fast-forward": func(rt *rapid.T) {
			m.fastForward(e.try(rt), name.Draw(rt, "name"), commits, rapid.IntRange(0, 2).Draw(rt, "commit"))
		},
		"remove": func(rt *rapid.T) {
			n := name.Draw(rt, "name")
			e.try(rt).ok(e.db.Branch(n).Remove(e.ctx))
			m.set(n, datakit.Hash{})
		},
		"rename": func(rt *rapid.T) { m.rename(e.try(rt), name.Draw(rt, "from"), name.Draw(rt, "to")) },
		"": func(rt *rapid.T) {
			for _, n := range names {
				e.try(rt).wantHead(n, m.heads[n])
			}
		},
	})
	for _, n := range slices.Sorted(maps.Keys(logs)) {
		for _, h := range m.logs[n] {
			e.next(logs[n], h)
		}
	}
}

// fastForward moves name to commit i: 1 descends from 0, and 2 from none.
func (m *branchModel) fastForward(e *env, name string, commits []datakit.Hash, i int) {
	err := e.db.Branch(name).FastForward(e.ctx, commits[i])
	head := m.heads[name]
	switch {
	case head.IsZero() && m.clashes(name):
		e.fails("FastForward of "+name, err, datakit.Exist)
	case head.IsZero(), head == commits[i], head == commits[0] && i == 1:
		e.ok(err)
		m.set(name, commits[i])
	default:
		e.fails("FastForward of "+name, err, datakit.NotFastForward)
	}
}

func (m *branchModel) rename(e *env, from, to string) {
	if strings.HasPrefix(from, to+"/") || strings.HasPrefix(to, from+"/") {
		return // whether that is a conflict of the branch with itself is left open
	}
	err := e.db.Branch(from).Rename(e.ctx, to)
	switch {
	case m.heads[from].IsZero():
		e.fails("Rename of "+from, err, datakit.NotExist)
	case from == to:
		e.ok(err)
	case !m.heads[to].IsZero(), m.clashes(to):
		e.fails("Rename to "+to, err, datakit.Exist)
	default:
		e.ok(err)
		h := m.heads[from]
		m.set(from, datakit.Hash{})
		m.set(to, h)
	}
}
