package localgit

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGH216_LooseAndPacked makes random changes with git and compares what is
// read with what git lists.
func TestGH216_LooseAndPacked(t *testing.T) {
	t.Parallel()
	dir, _ := newRepo(t)
	git(t, dir, "tag", "-m", "annotated", "noted")
	commits := []string{git(t, dir, "rev-parse", "HEAD"), commitTo(t, dir), commitTo(t, dir)}
	names := []string{"refs/heads/a", "refs/heads/a/b", "refs/heads/a/b/c", "refs/heads/ä#1", "refs/tags/x", "refs/tags/y/z", "refs/remotes/o/m"}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 25 {
		name := names[random.IntN(len(names))]
		switch random.IntN(8) {
		case 0:
			git(t, dir, "pack-refs", "--all")
		case 1:
			git(t, dir, "symbolic-ref", "refs/heads/link", name)
		case 2, 3: // fails, as the next does, where another name is in the way
			_, _ = tryGit(t.Context(), dir, "update-ref", "-d", name)
		default:
			_, _ = tryGit(t.Context(), dir, "update-ref", name, commits[random.IntN(len(commits))])
		}
		want := map[string]string{}
		for line := range strings.Lines(git(t, dir, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")) {
			hash, name, _ := strings.Cut(strings.TrimSpace(line), " ")
			want[name] = hash
		}
		raw, err := readRefs(filepath.Join(dir, ".git"), []string{headsPrefix, tagsPrefix}, func(string) {})
		got := map[string]string{}
		for name, ref := range raw {
			got[name] = ref.hash
		}
		if err != nil || !maps.Equal(got, want) {
			t.Fatalf("read %v, %v, git lists %v", got, err, want)
		}
	}
}

func TestGH216_DamagedPackedRefs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"garbage\n", "0123 refs/heads/a\n", strings.Repeat("x", 1<<17), fmt.Sprintf("%040d\n", 0)} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "packed-refs"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if refs, err := readRefs(dir, []string{headsPrefix}, func(string) {}); err == nil {
			t.Errorf("read %v from %.20q", refs, text)
		}
	}
}
