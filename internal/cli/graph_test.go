package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/datakit/datakit"
)

// named returns the hash that stands for a commit of one letter.
func named(letter byte) datakit.Hash { return datakit.Hash{letter} }

// nodes returns commits of a text such as "M:AB A B": each with its parents.
func nodes(text string) (out []*node) {
	for word := range strings.FieldsSeq(text) {
		n := &node{Commit: &datakit.Commit{Hash: named(word[0])}, shown: true}
		for i := 2; i < len(word); i++ {
			n.follow = append(n.follow, named(word[i]))
		}
		out = append(out, n)
	}
	return out
}

func drawn(g *graph, history []*node) (lines []string) {
	for _, n := range history {
		lines = append(lines, g.draw(n, []string{string(n.Hash[0])})...)
	}
	return lines
}

func TestGraph(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, history, want string }{
		{"line", "B:A A", "* B\n* A"},
		{"two heads", "C:A B:A A", "* C\n| * B\n|/\n* A"},
		{"two roots", "B A", "* B\n* A"},
		{"merge", "M:AB B:Z A:Z Z", "*   M\n|\\\n| * B\n* | A\n|/\n* Z"},
		{"of three", "M:ABC C:Z B:Z A:Z Z", "*     M\n|\\\n| |\\\n| | * C\n| * | B\n| |/\n* | A\n|/\n* Z"},
		{"back and forth", "N:MB M:AB B:A A", "*   N\n|\\\n* | M\n|\\|\n| * B\n|/\n* A"},
		{"across", "A:C B:D E:C C D", "* A\n| * B\n| | * E\n| |/\n|/|\n* | C\n /\n* D"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(drawn(new(graph), nodes(tt.history)), "\n"); got != tt.want {
				t.Errorf("%s:\n%s\nwant\n%s", tt.history, got, tt.want)
			}
		})
	}
}

// histories are commits, each before its parents, of which any number have any
// number of parents.
var histories = rapid.Custom(func(t *rapid.T) []*node {
	size := rapid.IntRange(1, 20).Draw(t, "size")
	var words []string
	for i := range size {
		word := fmt.Sprintf("%c:", 'A'+i)
		for j := i + 1; j < size; j++ {
			if rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
				word += string(rune('A' + j))
			}
		}
		words = append(words, word)
	}
	return nodes(strings.Join(words, " "))
})

// TestGraphOfAnything: each commit is drawn once, and in the end no line is
// left that waits for one.
func TestGraphOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		history := histories.Draw(t, "history")
		g := new(graph)
		for _, n := range history {
			lines := g.draw(n, []string{"text"})
			if !strings.HasSuffix(lines[0], " text") || strings.Count(lines[0], "*") != 1 {
				t.Fatalf("drawn as %q", lines)
			}
			for _, line := range lines[1:] {
				if strings.Trim(line, `|\/X `) != "" {
					t.Fatalf("drawn as %q", lines)
				}
			}
		}
		if len(g.columns) > 0 {
			t.Fatalf("%d lines are left", len(g.columns))
		}
	})
}

// TestTopological: whatever the order of commits, all that are shown come
// before their parents.
func TestTopological(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		history := rapid.Permutation(histories.Draw(t, "history")).Draw(t, "order")
		all := make(map[datakit.Hash]*node)
		for _, n := range history {
			all[n.Hash] = n
		}
		sorted := topological(all, history)
		at := func(h datakit.Hash) int { return slices.IndexFunc(sorted, func(n *node) bool { return n.Hash == h }) }
		if len(sorted) != len(history) {
			t.Fatalf("%d of %d commits", len(sorted), len(history))
		}
		for i, n := range sorted {
			for _, parent := range n.follow {
				if at(parent) <= i {
					t.Fatalf("%c is before %c", parent[0], n.Hash[0])
				}
			}
		}
	})
}
