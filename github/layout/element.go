package layout

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// readPR reads the PR in a directory. ok is false if there is none. The error
// is a *fault if it is malformed.
func readPR(ctx context.Context, f files, id github.PRID) (pr github.PR, ok bool, err error) {
	var missing, found []string
	for _, name := range []string{headFile, stateFile, ownerFile} {
		if f.there(name) {
			found = append(found, name)
		} else {
			missing = append(missing, name)
		}
	}
	if len(found) == 0 {
		return pr, false, nil
	}
	if len(missing) > 0 {
		return pr, false, &fault{missing[0], missing[0] + " is missing, while there is a file " + found[0]}
	}
	pr.Number = id.Number
	for _, field := range []struct {
		name string
		set  func(text string) error
	}{
		{headFile, func(text string) (err error) { pr.Head, err = github.NewCommit(id.Repo, text); return err }},
		{stateFile, func(text string) (err error) { pr.State, err = github.ParsePRState(text); return err }},
		{ownerFile, func(text string) (err error) { pr.Owner, err = github.ParseLogin(text); return err }},
		{titleFile, func(text string) error { pr.Title = text; return nil }},
		{baseFile, func(text string) error { pr.Base = cmp.Or(text, github.DefaultBase); return nil }},
	} {
		text, _, err := f.trimmed(ctx, field.name)
		if err != nil {
			return pr, false, err
		}
		if err := field.set(text); err != nil {
			return pr, false, &fault{field.name, err.Error()}
		}
	}
	pr.Comments, err = readComments(ctx, f)
	return pr, err == nil, err
}

// readComments reads the comments of a PR in the order of their numbers
// (GH-64). The error is a *fault if a body is no file.
func readComments(ctx context.Context, f files) ([]github.Comment, error) {
	if f.modes[commentsDir] != datakit.Dir {
		return nil, nil
	}
	entries, err := readDir(ctx, f.tree, f.path(commentsDir))
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e datakit.Entry) bool { return e.Mode != datakit.Dir || !isDecimal(e.Name) })
	slices.SortFunc(entries, func(a, b datakit.Entry) int { return compareDecimals(a.Name, b.Name) })
	var comments []github.Comment
	for _, e := range entries {
		name := commentsDir + "/" + e.Name
		c, ok, err := readComment(ctx, f.tree, f.path(name))
		if why, is := asFault(err); is {
			return nil, &fault{name + "/" + why.name, name + "/" + why.reason}
		}
		if err != nil {
			return nil, err
		}
		if ok {
			comments = append(comments, c)
		}
	}
	return comments, nil
}

// readComment reads a comment; ok is false if its id or user cannot be read.
func readComment(ctx context.Context, tree *datakit.Tree, dir datakit.Path) (c github.Comment, ok bool, err error) {
	f, err := list(ctx, tree, dir)
	if err != nil || !f.has(idFile) || !f.has(userFile) {
		return c, false, err
	}
	id, _, idErr := f.trimmed(ctx, idFile)
	user, _, userErr := f.trimmed(ctx, userFile)
	if err := cmp.Or(idErr, userErr); err != nil {
		if _, tooLong := asFault(err); tooLong {
			return c, false, nil
		}
		return c, false, err
	}
	number, idErr := strconv.ParseInt(id, 10, 64)
	login, userErr := github.ParseLogin(user)
	if idErr != nil || userErr != nil {
		return c, false, nil
	}
	body, _, err := f.text(ctx, bodyFile)
	return github.Comment{ID: number, Author: login, Body: body}, err == nil, err
}

// isDecimal reports whether name is made of decimal digits.
func isDecimal(name string) bool {
	return name != "" && strings.Trim(name, "0123456789") == ""
}

// compareDecimals orders numbers of any length, and by their text those that
// differ only in leading zeros.
func compareDecimals(a, b string) int {
	x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y), strings.Compare(a, b))
}

// readStatus reads the status in a directory, as readPR does a PR.
func readStatus(ctx context.Context, f files, id github.StatusID) (s github.Status, ok bool, err error) {
	word, ok, err := f.trimmed(ctx, stateFile)
	if err != nil || !ok {
		return s, false, err
	}
	state, err := github.ParseStatusState(word)
	if err != nil {
		return s, false, &fault{stateFile, err.Error()}
	}
	description, _, err := f.text(ctx, descriptionFile)
	if err != nil {
		return s, false, err
	}
	url, _, err := f.text(ctx, urlFile)
	if err != nil {
		return s, false, err
	}
	return github.NewStatus(id.Commit, id.Context, state, description, url), true, nil
}

// readRef reads the ref in a directory, as readPR does a PR. A directory in the
// place of its head is no fault, but belongs to other refs.
func readRef(ctx context.Context, f files, id github.RefID) (r github.Ref, ok bool, err error) {
	if f.modes[headFile] == datakit.Dir {
		return r, false, nil
	}
	hash, ok, err := f.trimmed(ctx, headFile)
	if err != nil || !ok {
		return r, false, err
	}
	c, err := github.NewCommit(id.Repo, hash)
	if err != nil {
		return r, false, &fault{headFile, err.Error()}
	}
	return github.Ref{Commit: c, Name: id.Name}, true, nil
}
