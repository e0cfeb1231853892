package cli

import (
	"slices"
	"strings"

	"github.com/datakit/datakit"
)

// A graph draws history beside the commits: a column for each line of history
// that is open, whose commit is still to come. Commits must come before their
// parents.
type graph struct {
	columns []datakit.Hash // the commit that each waits for
}

// An edge leads from a column above to one below.
type edge struct{ at, to int }

// draw returns lines with the graph of a commit before them. There are more if
// the graph needs more.
func (g *graph) draw(n *node, lines []string) []string {
	here := slices.Index(g.columns, n.Hash)
	if here < 0 {
		here = len(g.columns)
		g.columns = append(g.columns, n.Hash)
	}
	var marks strings.Builder
	for i := range g.columns {
		if i == here {
			marks.WriteString("* ")
		} else {
			marks.WriteString("| ")
		}
	}
	rows := append([]string{marks.String()}, rows(g.advance(here, n.follow))...)
	for len(rows) < len(lines) {
		rows = append(rows, strings.Repeat("| ", len(g.columns)))
	}
	width := 0
	for _, row := range rows {
		width = max(width, len(row))
	}
	for i := range rows {
		if i < len(lines) {
			rows[i] += strings.Repeat(" ", width-len(rows[i])) + lines[i]
		}
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return rows
}

// advance has the column of a commit wait for the parents, and returns how the
// columns go on.
func (g *graph) advance(here int, parents []datakit.Hash) []edge {
	var next []datakit.Hash
	var edges []edge
	for i, hash := range g.columns {
		waits := []datakit.Hash{hash}
		if i == here {
			waits = parents
		}
		for _, hash := range waits {
			to := slices.Index(next, hash)
			if to < 0 {
				to = len(next)
				next = append(next, hash)
			}
			edges = append(edges, edge{i, to})
		}
	}
	g.columns = next
	return edges
}

// rows draws edges, each of which moves by one column in a row, until all are
// where they lead to.
func rows(edges []edge) (rows []string) {
	for slices.ContainsFunc(edges, func(e edge) bool { return e.at != e.to }) {
		var row []byte
		put := func(at int, c byte) {
			for len(row) <= at {
				row = append(row, ' ')
			}
			if row[at] != ' ' && row[at] != c {
				c = 'X'
			}
			row[at] = c
		}
		for i := range edges {
			switch e := &edges[i]; {
			case e.at == e.to:
				put(2*e.at, '|')
			case e.at > e.to:
				put(2*e.at-1, '/')
				e.at--
			default:
				put(2*e.at+1, '\\')
				e.at++
			}
		}
		rows = append(rows, string(row)+strings.Repeat(" ", 2-len(row)%2))
	}
	return rows
}
