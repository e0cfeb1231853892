package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// printTable prints rows below a heading, and nothing without rows.
func printTable(out io.Writer, rows []row) {
	if len(rows) == 0 {
		return
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "FIGURE\tUNIT\tOURS\tALTERNATIVE\tRATIO\tTARGET\tRESULT\tNOTE")
	for _, r := range rows {
		alt, ratio := "–", "–"
		if r.altName != "" {
			alt = number(r.alt) + " " + r.altName
			if r.alt != 0 {
				ratio = number(r.ours/r.alt) + "×"
			}
		}
		line := []string{r.name, r.unit, number(r.ours), alt, ratio, orDash(r.goal.text), r.verdict(), r.note}
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	w.Flush()
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
}

// verdict returns "ok" or "MISSED", and nothing where there is no goal.
func (r row) verdict() string {
	switch {
	case r.goal.met == nil:
		return ""
	case r.goal.met(r.ours, r.alt):
		return "ok"
	default:
		return "MISSED"
	}
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// number prints v with three digits or more.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a == math.Trunc(a) && a < 1e6, a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}
