package layout_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/memdb"
)

// pattern makes paths in and around the layout: each part in braces is one of
// its words.
var patterns = []string{
	"README.md",
	"{u,v w}/{r,s}",
	"{u,v w}/{r,s,..r}/{.monitor,.monitor,.dirty,.error,junk,pr,commit,ref}",
	"u/{r,s}/.monitor/x",
	"u/{r,s}/pr/{0,1,2,01,foo}",
	"u/{r,s}/pr/{0,1,2,01,foo}/{head,state,owner,title,base,.dirty,.error,junk,comments}",
	"u/{r,s}/pr/{1,2}/{head,state,owner}",
	"u/{r,s}/pr/1/{head,title,.dirty,.error}/x",
	"u/{r,s}/pr/{1,2}/comments/{0,2,10,x}",
	"u/{r,s}/pr/{1,2}/comments/{0,2,10,x}/{id,user,body}",
	"u/{r,s}/commit/{a,b,c }",
	"u/{r,s}/commit/{a,b,c }/{junk,status}",
	"u/{r,s}/commit/{a,b}/status/{state,ci,.x/y}",
	"u/{r,s}/commit/{a,b,c }/status/{ci,ci/x,ci/x/y,ci/state,.x,other}/{state,description,target_url,.error,junk}",
	"u/{r,s}/commit/{a,b}/status/ci/{state,description,.error}/x",
	"u/{r,s}/ref/{head,heads,.x}",
	"u/{r,s}/ref/{heads,heads/m,heads/head,heads/m/n,.x,tags/.v}/{head,.dirty,.error,junk}",
	"u/{r,s}/ref/heads/{.dirty,.error}/x",
}

// texts are the contents of files; the first is a removal.
var texts = map[string][]string{
	"head":       {"", "a\n", "b\n", "c \n", " \n", "x/y"},
	"state":      {"", "open\n", "closed\n", "success\n", "failure", "pending", "bogus"},
	"owner":      {"", "joe\n", "dependabot[bot]\n", "a\tb", "\n"},
	"id":         {"", "1\n", "-3", "x"},
	"user":       {"", "joe\n", "\n"},
	".monitor":   {"", "\n", "\n", "text"},
	"a b c":      {"", "a\n", "b \n"},
	"everything": {"", "some text\n", " \n"},
}

func drawPath(t *rapid.T) datakit.Path {
	var b strings.Builder
	rest := rapid.SampledFrom(patterns).Draw(t, "pattern")
	for {
		before, choice, more := strings.Cut(rest, "{")
		b.WriteString(before)
		if !more {
			return datakit.Path(b.String())
		}
		words, after, _ := strings.Cut(choice, "}")
		b.WriteString(rapid.SampledFrom(strings.Split(words, ",")).Draw(t, "word"))
		rest = after
	}
}

// edit makes one random change.
func edit(t *rapid.T, tx *datakit.Tx) error {
	path := drawPath(t)
	pool, ok := texts[path.Base()]
	if !ok {
		pool = texts["everything"]
	}
	content := rapid.SampledFrom(pool).Draw(t, "content")
	if content == "" {
		err := tx.Remove(t.Context(), path)
		if errors.Is(err, datakit.NotExist) || errors.Is(err, datakit.NotDir) {
			return nil
		}
		return err
	}
	if err := clear(t, tx, path); err != nil {
		return err
	}
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return tx.Symlink(t.Context(), path, content)
	case 1:
		return tx.Create(t.Context(), path, datakit.Executable, []byte(content))
	}
	return tx.Create(t.Context(), path, datakit.Normal, []byte(content))
}

// clear removes what is in the way of a file.
func clear(t *rapid.T, tx *datakit.Tx, path datakit.Path) error {
	at := datakit.Root
	for step := range path.Steps() {
		at = at.Join(datakit.Path(step))
		mode, err := tx.Mode(t.Context(), at)
		if err != nil {
			return err
		}
		if mode != datakit.Absent && (mode == datakit.Dir) == (at == path) {
			if err := tx.Remove(t.Context(), at); err != nil {
				return err
			}
		}
	}
	return tx.MkdirAll(t.Context(), path.Dir())
}

// TestGH66_IncrementalIsFull reads each commit of a random history, in full and
// incrementally from each other one.
func TestGH66_IncrementalIsFull(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t, memdb.New(nil)}
		defer w.db.Close()
		heads := []datakit.Hash{w.edit(func(tx *datakit.Tx) error {
			return putFiles(t.Context(), tx, map[datakit.Path]string{"u/r/.monitor": "\n", "u/s/.monitor": "\n"})
		})}
		for range rapid.IntRange(1, 3).Draw(t, "commits") {
			heads = append(heads, w.edit(func(tx *datakit.Tx) error {
				for range rapid.IntRange(1, 25).Draw(t, "changes") {
					if err := edit(t, tx); err != nil {
						return fmt.Errorf("edit: %w", err)
					}
				}
				return nil
			}))
		}
		var contents []layout.Content
		for _, head := range heads {
			contents = append(contents, w.full(head))
		}
		for _, want := range contents {
			for _, older := range contents {
				got, err := layout.ReadCommit(t.Context(), w.db, want.Head, &older)
				if err != nil {
					t.Fatal(err)
				}
				if !same(got, want) {
					t.Fatalf("incrementally from\n%s:\n%s\nin full:\n%s", text(older), text(got), text(want))
				}
			}
		}
	})
}

// TestGH66_ManyIncrements reads a history of well-formed changes step by step,
// as the bridge does.
func TestGH66_ManyIncrements(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t, memdb.New(nil)}
		defer w.db.Close()
		repos := []github.Repo{{User: "u", Name: "r"}, {User: "u", Name: "s"}}
		var content layout.Content
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				var d github.Diff
				for range rapid.IntRange(1, 6).Draw(t, "changes") {
					e := drawElement(t, rapid.SampledFrom(repos).Draw(t, "repo"))
					if rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
						d.AddRemoval(e.Identity())
					} else {
						d.AddUpdate(e)
					}
				}
				head := w.edit(func(tx *datakit.Tx) error { _, err := layout.Apply(t.Context(), tx, d); return err })
				next, err := layout.ReadCommit(t.Context(), w.db, head, &content)
				if err != nil {
					t.Fatal(err)
				}
				if want := w.full(head); !same(next, want) {
					t.Fatalf("step by step:\n%s\nin full:\n%s", text(next), text(want))
				}
				content = next
			},
		})
	})
}

func drawElement(t *rapid.T, r github.Repo) github.Element {
	c := github.Commit{Repo: r, Hash: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "hash")}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return r
	case 1:
		return c
	case 2:
		return github.Ref{Commit: c, Name: rapid.SampledFrom([]github.RefName{"heads/m", "heads/n", "tags/v"}).Draw(t, "name")}
	case 3:
		context := rapid.SampledFrom([]github.Context{"ci", "ci/x", "other"}).Draw(t, "context")
		return github.NewStatus(c, context, rapid.SampledFrom([]github.StatusState{github.Pending, github.Success}).Draw(t, "state"), "", "")
	}
	return github.PR{Head: c, Number: rapid.IntRange(0, 2).Draw(t, "number"), Base: "master", Owner: "joe"}
}
