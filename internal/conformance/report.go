package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A report is what is known about every requirement.
type report struct {
	specs    []spec
	tests    map[string][]string // names of tests, by id
	why      map[string]string   // reasons, by id
	problems []string
}

// join brings requirements, tests and reasons together. Tests named after an
// id whose prefix belongs to none of the specs are passed over.
func join(specs []spec, tests []proof, why map[string]string) *report {
	r := &report{specs: specs, tests: make(map[string][]string), why: why}
	known, ours := make(map[string]bool), make(map[string]bool)
	for _, s := range specs {
		for _, p := range s.Prefixes {
			ours[p] = true
		}
		for _, sec := range s.sections {
			for _, it := range sec.Items {
				known[it.ID] = true
			}
		}
	}
	for _, t := range tests {
		for _, id := range t.IDs {
			prefix, _, _ := strings.Cut(id, "-")
			if ours[prefix] && !known[id] {
				r.problem("%s names %s, which is no requirement", t.Name, id)
			}
			r.tests[id] = append(r.tests[id], t.Name)
		}
	}
	for id := range why {
		if !known[id] {
			r.problem("reasons.txt names %s, which is no requirement", id)
		}
	}
	r.compare()
	slices.Sort(r.problems)
	return r
}

// compare finds requirements that have nothing, and those that have a test
// and still an excuse.
func (r *report) compare() {
	for it := range r.items() {
		switch tested, excused := len(r.tests[it.ID]) > 0, r.why[it.ID] != ""; {
		case !tested && !excused:
			r.problem("%s (%s) has neither a test nor a reason", it.ID, it.Title)
		case tested && excused:
			r.problem("%s has a test now: remove its reason", it.ID)
		}
	}
}

func (r *report) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// items yields the requirements of all specs.
func (r *report) items() func(yield func(item) bool) {
	return func(yield func(item) bool) {
		for _, s := range r.specs {
			for _, sec := range s.sections {
				for _, it := range sec.Items {
					if !yield(it) {
						return
					}
				}
			}
		}
	}
}

// summary says how much is proved, in one line.
func (r *report) summary() string {
	all, tested := 0, 0
	for it := range r.items() {
		all++
		if len(r.tests[it.ID]) > 0 {
			tested++
		}
	}
	return fmt.Sprintf("%d of %d requirements have tests", tested, all)
}

// markdown returns the page.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	b.WriteString("# Conformance\n\nWhich tests prove which requirement. This page is generated from the names of the\n" +
		"tests by `make conformance`; how, is told in `internal/conformance`. A name without\n" +
		"`Test`, `Fuzz` or `Benchmark` is a subtest; those of `dbtest` run over every database.\n\n")
	b.WriteString(r.summary() + ".\n")
	for _, s := range r.specs {
		fmt.Fprintf(&b, "\n## %s\n", s.Title)
		for _, sec := range s.sections {
			fmt.Fprintf(&b, "\n### %s\n\n| requirement | proved by |\n| --- | --- |\n", sec.Title)
			for _, it := range sec.Items {
				fmt.Fprintf(&b, "| **%s** %s | %s |\n", it.ID, escape(it.Title), r.cell(it.ID))
			}
		}
	}
	return b.Bytes()
}

// cell lists the tests of a requirement, grouped by package.
func (r *report) cell(id string) string {
	tests := r.tests[id]
	if len(tests) == 0 {
		if why := r.why[id]; why != "" {
			return "no test: " + escape(why)
		}
		return "**nothing**"
	}
	var parts []string
	last := ""
	for _, t := range tests {
		pkg, name, _ := strings.Cut(t, ".")
		if pkg != last {
			parts = append(parts, fmt.Sprintf("%s: `%s`", pkg, name))
		} else {
			parts[len(parts)-1] += fmt.Sprintf(", `%s`", name)
		}
		last = pkg
	}
	return strings.Join(parts, "<br>")
}

func escape(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
