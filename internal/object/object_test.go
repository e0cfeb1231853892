package object

import (
	"bytes"
	"testing"
	"time"

	"github.com/datakit/datakit"
)

func hash(t testing.TB, s string) datakit.Hash {
	t.Helper()
	h, err := datakit.ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestFS24_Vector makes the objects of the specification's test vector.
func TestFS24_Vector(t *testing.T) {
	blob := Name(BlobType, []byte("all: build test"))
	if want := hash(t, "02323182d6fdeb51ed646896446ad36dc6d53d21"); blob != want {
		t.Fatalf("blob = %v, want %v", blob, want)
	}
	var src, root TreeBuilder
	src.Add(TreeEntry{[]byte("Makefile"), datakit.Normal, blob})
	root.Add(TreeEntry{[]byte("src"), datakit.Dir, Name(TreeType, src.Bytes())})
	tree := Name(TreeType, root.Bytes())
	if want := hash(t, "1017090d30080a90882e8a973558e217acbed520"); tree != want {
		t.Fatalf("tree = %v, want %v", tree, want)
	}
	who := Signature{"datakit", "datakit@mobyproject.org", time.Unix(1500000000, 0)}
	c := Commit{Tree: tree, Author: who, Committer: who, Message: "My commit"}
	if got, want := Name(CommitType, c.Bytes()), hash(t, "3949d3927d46db289735fecdc1e6ce8aad7ced88"); got != want {
		t.Fatalf("commit = %v, want %v", got, want)
	}
}

// TestFS14_CanonicalOrder adds entries whose order depends on their modes.
func TestFS14_CanonicalOrder(t *testing.T) {
	h := Name(BlobType, nil)
	var b TreeBuilder
	for _, e := range []TreeEntry{
		{[]byte("a"), datakit.Dir, h}, {[]byte("a.b"), datakit.Normal, h}, {[]byte("a0"), datakit.Normal, h},
		{[]byte("a-"), datakit.Symlink, h}, {[]byte("empty"), datakit.Dir, datakit.EmptyTree},
	} {
		b.Add(e)
	}
	tree, err := ParseTree(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a-", "a.b", "a", "a0"}
	if tree.Len() != len(want) {
		t.Fatalf("%d entries, want %d", tree.Len(), len(want))
	}
	for i, name := range want {
		if got := string(tree.Entry(i).Name); got != name {
			t.Errorf("entry %d is %s, want %s", i, got, name)
		}
		if e := tree.Find(name); string(e.Name) != name {
			t.Errorf("Find(%s) found %q", name, e.Name)
		}
	}
	if e := tree.Find("a-b"); e.Mode != datakit.Absent {
		t.Errorf("Find(a-b) found %q", e.Name)
	}
}

// TestParseTreeUnsorted reads a tree whose entries another program wrote in a
// wrong order.
func TestParseTreeUnsorted(t *testing.T) {
	var a, b TreeBuilder
	a.Add(TreeEntry{[]byte("x"), datakit.Normal, datakit.EmptyTree})
	b.Add(TreeEntry{[]byte("b"), datakit.Normal, datakit.EmptyTree})
	tree, err := ParseTree(append(a.Bytes(), b.Bytes()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "x"} {
		if tree.Find(name).Mode != datakit.Normal {
			t.Errorf("%s is not found", name)
		}
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 a\x00aaaaaaaaaaaaaaaaaaaa40000 b\x00bbbbbbbbbbbbbbbbbbbb"))
	f.Add([]byte("100644 \x00aaaaaaaaaaaaaaaaaaaa"))
	f.Add([]byte("100000 0/\x000000000000000000000040000 0\x0000000000000000000000"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tree, err := ParseTree(raw)
		if err != nil {
			return
		}
		for i := range tree.Len() {
			e := tree.Entry(i)
			if got := tree.Find(string(e.Name)); !bytes.Equal(got.Name, e.Name) {
				t.Fatalf("entry %q is not found in %q", e.Name, raw)
			}
		}
	})
}

func FuzzParseCommit(f *testing.F) {
	c := Commit{Parents: []datakit.Hash{datakit.EmptyTree}, Message: "m", Author: Signature{Name: "a"}}
	f.Add(c.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseCommit(raw)
		if err != nil {
			return
		}
		again, err := ParseCommit(c.Bytes())
		if err != nil || again.Tree != c.Tree || len(again.Parents) != len(c.Parents) || again.Message != c.Message {
			t.Fatalf("%q became %q: %v", raw, c.Bytes(), err)
		}
	})
}
