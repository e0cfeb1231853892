package dbtest

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/datakit/datakit"
)

var errorChecks = []check{
	{"CL14_ErrorsNameOperationAndSubject", errorsNameSubject},
	{"CL61_ErrorsAnswerToFSErrors", errorsAnswerToFS},
	{"CL12_ErrorsHaveOneKind", errorsHaveOneKind},
}

// mentions reports a text of err without one of these words.
func (e *env) mentions(err error, words ...string) {
	e.Helper()
	if err == nil {
		e.Error("there is no error")
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			e.Errorf("the error %q does not mention %q", err, word)
		}
	}
}

// failures are calls that fail, with words that their texts have.
func failures(e *env) []struct {
	err   error
	kind  datakit.Kind
	words []string
} {
	h := e.put("master", sample)
	tx := e.begin("master")
	b := e.db.Branch("master")
	moved := e.commitFiles(files{"f": normal("x")})
	return []struct {
		err   error
		kind  datakit.Kind
		words []string
	}{
		{second(tx.Lookup(e.ctx, "src/absent")), datakit.NotExist, []string{"src/absent", "No such file or directory"}},
		{second(tx.ReadDir(e.ctx, "file")), datakit.NotDir, []string{"file", "Not a directory"}},
		{second(tx.Open(e.ctx, "src")), datakit.IsDir, []string{"src", "Is a directory"}},
		{second(tx.ReadFile(e.ctx, "bin/to")), datakit.NotFile, []string{"bin/to", "Not a file"}},
		{second(tx.Readlink(e.ctx, "file")), datakit.NotLink, []string{"file", "Not a symlink"}},
		{tx.Mkdir(e.ctx, "src"), datakit.Exist, []string{"src", "Already exists"}},
		{tx.WriteFile(e.ctx, "a//b", nil), datakit.Invalid, []string{"a//b", `Invalid path component ""`}},
		{tx.WriteFile(e.ctx, ".git", nil), datakit.Invalid, []string{".git", "Invalid name"}},
		{tx.Rename(e.ctx, "absent", "new"), datakit.NotExist, []string{"absent"}},
		{second(tx.Merge(e.ctx, unknown)), datakit.NotExist, []string{unknown.String()}},
		{second(e.db.Commit(e.ctx, unknown)), datakit.NotExist, []string{unknown.String()}},
		{second(e.db.Diff(e.ctx, unknown, h)), datakit.NotExist, []string{unknown.String()}},
		{second(e.db.Tree(e.ctx, datakit.TreeID{Mode: datakit.Normal, Hash: unknown})), datakit.NotExist, []string{"F-" + unknown.String()}},
		{b.FastForward(e.ctx, unknown), datakit.NotExist, []string{"master"}},
		{b.FastForward(e.ctx, moved), datakit.NotFastForward, []string{"master", "not-fast-forward"}},
		{b.Rename(e.ctx, "a b"), datakit.Invalid, []string{"a b is not a valid branch name."}},
		{e.db.Branch("never").Rename(e.ctx, "x"), datakit.NotExist, []string{"never"}},
		{second(e.db.Branch("a..b").Head(e.ctx)), datakit.Invalid, []string{"a..b is not a valid branch name."}},
		{tx.Truncate(e.ctx, "file", 1<<40), datakit.TooLarge, []string{"file"}},
		{b.With(e.ctx, func(*datakit.Tx) error { return nil }), datakit.Invalid, []string{"master"}},
		{second(e.db.Fetch(e.ctx, "", "master")), datakit.Invalid, []string{"fetch"}},
	}
}

func errorsNameSubject(e *env) {
	for _, f := range failures(e) {
		e.mentions(f.err, f.words...)
		var own *datakit.Error
		if !errors.As(f.err, &own) || own.Op == "" {
			e.Errorf("the error %q names no operation", f.err)
		}
	}
}

func errorsHaveOneKind(e *env) {
	for _, f := range failures(e) {
		for k := datakit.IO; k <= datakit.Internal; k++ {
			if is := errors.Is(f.err, k); is != (k == f.kind) {
				e.Errorf("errors.Is(%q, %q) = %v", f.err, k.Error(), is)
			}
		}
	}
}

func errorsAnswerToFS(e *env) {
	for _, f := range failures(e) {
		for target, kind := range map[error]datakit.Kind{
			fs.ErrNotExist: datakit.NotExist, fs.ErrExist: datakit.Exist, fs.ErrInvalid: datakit.Invalid, fs.ErrClosed: datakit.Closed,
		} {
			if is := errors.Is(f.err, target); is != (kind == f.kind) {
				e.Errorf("errors.Is(%q, %q) = %v", f.err, target, is)
			}
		}
	}
}
