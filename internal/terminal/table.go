package terminal

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A Table is rows of cells. At a terminal the columns are aligned, have titles,
// and the last is cut off at the edge of the screen; elsewhere cells are parted
// by tabs, for cut and awk.
type Table struct {
	Titles []string
	Right  []int         // columns to be aligned to the right
	Colors map[int]Color // of columns

	rows [][]string
}

// Add adds a row of as many cells as there are titles.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Print prints the table.
func (t *Table) Print(o *Output) error {
	if !o.Terminal() {
		return t.printPlain(o)
	}
	if len(t.rows) == 0 {
		return nil
	}
	widths := make([]int, len(t.Titles))
	for _, row := range append([][]string{t.Titles}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	title := func(int) Color { return Bold }
	if _, err := o.WriteString(t.line(o, t.Titles, widths, title)); err != nil {
		return err
	}
	for _, row := range t.rows {
		if _, err := o.WriteString(t.line(o, row, widths, func(i int) Color { return t.Colors[i] })); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) printPlain(o *Output) error {
	for _, row := range t.rows {
		if _, err := o.WriteString(strings.Join(row, "\t") + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// gap is what parts two columns.
const gap = "  "

// line returns a row as it is printed.
func (t *Table) line(o *Output, cells []string, widths []int, color func(int) Color) string {
	var b strings.Builder
	used := 0
	for i, cell := range cells {
		last := i == len(cells)-1
		if last {
			cell = cut(cell, max(o.Width-used, 1))
		}
		pad := strings.Repeat(" ", max(widths[i]-utf8.RuneCountInString(cell), 0))
		used += widths[i] + len(gap)
		shown := cell
		if c := color(i); c != "" {
			shown = o.Paint(c, cell)
		}
		switch {
		case slices.Contains(t.Right, i):
			b.WriteString(pad + shown)
		case last:
			b.WriteString(shown)
		default:
			b.WriteString(shown + pad)
		}
		if !last {
			b.WriteString(gap)
		}
	}
	return b.String() + "\n"
}

// cut returns text, or as much of it as has room in width columns.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	runes := []rune(text)
	return string(runes[:width-1]) + "…"
}
