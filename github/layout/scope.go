package layout

import (
	"slices"
	"strconv"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// A scope is a directory whose own files make up one element, if any. Each file
// of the branch belongs to one scope at most, so that a changed file tells what
// to read again (GH-67).
type scope struct {
	repo github.Repo
	dir  datakit.Path
	id   github.ID // nil for a directory that can be no element, such as pr/foo
}

func scopeOfID(id github.ID) scope { return scope{id.Repository(), Dir(id), id} }

// scopeOfPR returns the scope of a directory below pr. It is that of a PR if
// the name is a decimal number without sign and leading zeros (GH-63).
func scopeOfPR(r github.Repo, name string) scope {
	if n, err := strconv.Atoi(name); err == nil && isDecimal(name) && strconv.Itoa(n) == name {
		return scopeOfID(github.PRID{Repo: r, Number: n})
	}
	return scope{repo: r, dir: join(r.User, r.Name, prDir, name)}
}

// scopesOf returns the scopes that the file at path belongs to, and whether it
// is the file .dirty of the first, which is an element then. There is one scope,
// or none, but for a file of a status, which is one of its commit as well, as it
// may be all that makes the directory of the commit.
func scopesOf(path datakit.Path) (scopes []scope, isDirty bool) {
	steps := strings.Split(string(path), "/")
	if len(steps) < 2 {
		return nil, false
	}
	r, ok := parseRepo(steps[0], steps[1])
	if !ok {
		return nil, false
	}
	own := []scope{scopeOfID(r)}
	if len(steps) == 2 {
		return own, false
	}
	area, below := steps[2], steps[3:]
	switch {
	case area == monitorFile, area == errorFile:
		return own, false
	case area == dirtyFile && len(below) == 0:
		return own, true
	case len(below) == 0:
		return nil, false
	case area == prDir:
		s := scopeOfPR(r, below[0])
		return []scope{s}, s.id != nil && len(below) == 2 && below[1] == dirtyFile
	case area == refDir:
		name := leading(below, isHidden)
		if len(name) == 0 {
			return nil, false
		}
		id := github.RefID{Repo: r, Name: github.RefName(strings.Join(name, "/"))}
		return []scope{scopeOfID(id)}, len(name) == len(below)-1 && below[len(name)] == dirtyFile
	case area == commitDir:
		return commitScopes(r, below), false
	}
	return nil, false
}

// commitScopes returns the scopes of a file below the directory commit.
func commitScopes(r github.Repo, steps []string) []scope {
	c, ok := parseCommit(r, steps[0])
	if !ok {
		return nil
	}
	if len(steps) > 2 && steps[1] == statusDir {
		if context := leading(steps[2:], isReserved); len(context) > 0 {
			id := github.StatusID{Commit: c, Context: github.Context(strings.Join(context, "/"))}
			return []scope{scopeOfID(id), scopeOfID(c)}
		}
	}
	return []scope{scopeOfID(c)}
}

// leading returns the steps of the name of an element: all before the last, and
// before the first that ends a name.
func leading(steps []string, ends func(step string) bool) []string {
	steps = steps[: len(steps)-1 : len(steps)]
	if i := slices.IndexFunc(steps, ends); i >= 0 {
		return steps[:i]
	}
	return steps
}

// isHidden reports whether a step can be in no name of a ref (GH-21).
func isHidden(step string) bool { return step[0] == '.' }

// isReserved reports whether a step can be in no context of a status (GH-15).
func isReserved(step string) bool {
	return isHidden(step) || step == stateFile || step == descriptionFile || step == urlFile
}

// parseRepo returns the repository of two steps of a path, which must be valid
// names as they are, without trimming.
func parseRepo(user, name string) (r github.Repo, ok bool) {
	r, err := github.ParseRepo(user + "/" + name)
	return r, err == nil && r.User == user && r.Name == name
}

// parseCommit returns the commit of a step of a path, in the same way.
func parseCommit(r github.Repo, hash string) (c github.Commit, ok bool) {
	c, err := github.NewCommit(r, hash)
	return c, err == nil && c.Hash == hash
}
