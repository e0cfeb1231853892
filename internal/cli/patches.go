package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/patch"
	"github.com/datakit/datakit/internal/terminal"
)

// A changeJSON is what is printed of a change: "+" for a file that is new, "-"
// for one that is gone and "*" for one that differs.
type changeJSON struct {
	Op string `json:"op"`
	pathJSON
	Added   *int   `json:"added,omitempty"` // lines, of text
	Removed *int   `json:"removed,omitempty"`
	Binary  bool   `json:"binary,omitempty"`
	Patch   string `json:"patch,omitempty"`
}

// each calls f with all changes, as far as they are to be told.
func (v *changeView) each(ctx context.Context, c comparison, f func(changeJSON) error) error {
	for _, change := range c.changes {
		j := changeJSON{Op: string(change.Op), pathJSON: pathOf(change.Path)}
		if v.stat || v.patch {
			patches, err := c.patches(ctx, change)
			if err != nil {
				return err
			}
			v.detail(&j, patches)
		}
		if err := f(j); err != nil {
			return err
		}
	}
	return nil
}

// detail adds to a change what its patches tell.
func (v *changeView) detail(j *changeJSON, patches []*patch.File) {
	s := statOf(j.Path, patches)
	j.Binary = s.binary
	if v.stat && !s.binary {
		j.Added, j.Removed = &s.added, &s.removed
	}
	if v.patch {
		var text strings.Builder
		for _, p := range patches {
			p.Write(&text, patch.Plain) // which cannot fail
		}
		j.Patch = text.String()
	}
}

// patches returns a change line by line: two files if what was a link is none
// any more, or the other way round, and else one.
func (c comparison) patches(ctx context.Context, change datakit.Change) ([]*patch.File, error) {
	p := &patch.File{Path: change.Path.String()}
	var err error
	if change.Op != datakit.Added {
		if p.Old, err = side(ctx, c.from, change.Path); err != nil {
			return nil, err
		}
	}
	if change.Op != datakit.Removed {
		if p.New, err = side(ctx, c.to, change.Path); err != nil {
			return nil, err
		}
	}
	if link := gitModes[datakit.Symlink]; p.Old.Mode != "" && p.New.Mode != "" && (p.Old.Mode == link) != (p.New.Mode == link) {
		return []*patch.File{{Path: p.Path, Old: p.Old}, {Path: p.Path, New: p.New}}, nil
	}
	return []*patch.File{p}, nil
}

// gitModes are the modes as Git writes them.
var gitModes = map[datakit.Mode]string{datakit.Normal: "100644", datakit.Executable: "100755", datakit.Symlink: "120000"}

// side reads a file for a patch, unless it is too long for that.
func side(ctx context.Context, tree *datakit.Tree, path datakit.Path) (s patch.Side, err error) {
	e, err := tree.Stat(ctx, path)
	if err != nil {
		return s, err
	}
	s.Mode, s.Size = gitModes[e.Mode], e.Size
	if s.Size > patch.MaxSize {
		return s, nil
	}
	b, err := tree.Open(ctx, path)
	if err != nil {
		return s, err
	}
	defer b.Close()
	s.Data, err = io.ReadAll(datakit.NewReader(ctx, b))
	return s, err
}

// lineColors are the colors of the lines of a patch.
var lineColors = map[patch.Kind]terminal.Color{patch.Header: terminal.Bold, patch.Hunk: terminal.Cyan, patch.Added: terminal.Green, patch.Removed: terminal.Red}

func (v *changeView) writePatches(ctx context.Context, c comparison) error {
	style := func(k patch.Kind, line string) string {
		line = v.out.Clean(line)
		if color, ok := lineColors[k]; ok {
			return v.out.Paint(color, line)
		}
		return line
	}
	for _, change := range c.changes {
		patches, err := c.patches(ctx, change)
		if err != nil {
			return err
		}
		for _, p := range patches {
			if err := p.Write(v.out, style); err != nil {
				return err
			}
		}
	}
	return nil
}

var opColors = map[datakit.ChangeOp]terminal.Color{datakit.Added: terminal.Green, datakit.Removed: terminal.Red, datakit.Updated: terminal.Yellow}

func (v *changeView) writeNames(changes []datakit.Change) error {
	for _, c := range changes {
		if _, err := fmt.Fprintf(v.out, "%s %s\n", v.out.Paint(opColors[c.Op], string(c.Op)), v.out.Clean(c.Path.String())); err != nil {
			return err
		}
	}
	return nil
}

// A stat is how many lines of a file differ.
type stat struct {
	path           string
	added, removed int
	binary         bool
}

func statOf(path string, patches []*patch.File) stat {
	s := stat{path: path}
	for _, p := range patches {
		added, removed := p.Count()
		s.added, s.removed = s.added+added, s.removed+removed
		s.binary = s.binary || p.Binary()
	}
	return s
}

// statWidth is how wide statistics are where there is no terminal.
const statWidth = 80

func (v *changeView) writeStat(ctx context.Context, c comparison) error {
	var stats []stat
	var total stat
	name, most := 0, 1
	for _, change := range c.changes {
		patches, err := c.patches(ctx, change)
		if err != nil {
			return err
		}
		s := statOf(v.out.Clean(change.Path.String()), patches)
		stats = append(stats, s)
		total.added, total.removed = total.added+s.added, total.removed+s.removed
		name, most = max(name, utf8.RuneCountInString(s.path)), max(most, s.added+s.removed)
	}
	width := v.out.Width
	if width == 0 {
		width = statWidth
	}
	digits := len(fmt.Sprint(most))
	room := max(width-name-digits-len("  |  "), 10)
	for _, s := range stats {
		pad := strings.Repeat(" ", name-utf8.RuneCountInString(s.path))
		if _, err := fmt.Fprintf(v.out, " %s%s | %s\n", s.path, pad, v.bar(s, digits, most, room)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(v.out, " %s, %s(+), %s(-)\n", count(len(stats), "file"), count(total.added, "insertion"), count(total.removed, "deletion"))
	return err
}

// bar draws how many lines of a file differ, where the most are to fit in room.
func (v *changeView) bar(s stat, digits, most, room int) string {
	if s.binary {
		return "binary"
	}
	scale := func(n int) int {
		if most <= room || n == 0 {
			return n
		}
		return max(1, n*room/most)
	}
	plus, minus := strings.Repeat("+", scale(s.added)), strings.Repeat("-", scale(s.removed))
	number := fmt.Sprintf("%*d", digits, s.added+s.removed)
	if plus+minus == "" {
		return number
	}
	return number + " " + v.out.Paint(terminal.Green, plus) + v.out.Paint(terminal.Red, minus)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
