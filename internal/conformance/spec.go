package main

import (
	"bufio"
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A spec is one document of requirements. Its list is a text file of lines
// "ID title", with headings after "##" and remarks after "#".
type spec struct {
	Title    string
	File     string
	Prefixes []string // what its ids begin with

	sections []section
}

type section struct {
	Title string
	Items []item
}

type item struct{ ID, Title string }

// specs are the documents that are accounted for. A further one is a line
// here and a list beside it.
var specs = []spec{
	{Title: "Database, filesystem and server", File: "filesystem.txt", Prefixes: []string{"FS", "FST"}},
	{Title: "Clients", File: "client.txt", Prefixes: []string{"CL", "CLT"}},
	{Title: "GitHub and local repositories", File: "github.txt", Prefixes: []string{"GH", "GHT"}},
}

//go:embed *.txt
var lists embed.FS

var idPattern = regexp.MustCompile(`^([A-Z]+)-([0-9]+)$`)

// loadSpecs returns the specs with their lists.
func loadSpecs(specs []spec) ([]spec, error) {
	var all []spec
	for _, s := range specs {
		text, err := lists.ReadFile(s.File)
		if err != nil {
			return nil, err
		}
		if s.sections, err = parseList(string(text), s.Prefixes); err != nil {
			return nil, fmt.Errorf("%s: %w", s.File, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// parseList reads the list of a spec whose ids have one of the prefixes.
func parseList(text string, prefixes []string) ([]section, error) {
	var out []section
	seen := make(map[string]bool)
	for line := range lines(text) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			out = append(out, section{Title: title})
			continue
		}
		id, title, _ := strings.Cut(line, " ")
		m := idPattern.FindStringSubmatch(id)
		if m == nil || !slices.Contains(prefixes, m[1]) || title == "" || seen[id] || len(out) == 0 {
			return nil, fmt.Errorf("unexpected line %q", line)
		}
		seen[id] = true
		last := &out[len(out)-1]
		last.Items = append(last.Items, item{id, title})
	}
	return out, nil
}

// loadReasons returns why a requirement has no test, by its id.
func loadReasons() (map[string]string, error) {
	text, err := lists.ReadFile("reasons.txt")
	if err != nil {
		return nil, err
	}
	why := make(map[string]string)
	for line := range lines(string(text)) {
		id, reason, _ := strings.Cut(line, " ")
		if !idPattern.MatchString(id) || reason == "" || why[id] != "" {
			return nil, fmt.Errorf("reasons.txt: unexpected line %q", line)
		}
		why[id] = reason
	}
	return why, nil
}

// lines yields the lines of text that are neither empty nor remarks.
func lines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		s := bufio.NewScanner(strings.NewReader(text))
		for s.Scan() {
			line := strings.TrimSpace(s.Text())
			if line == "" || strings.HasPrefix(line, "# ") || line == "#" {
				continue
			}
			if !yield(line) {
				return
			}
		}
	}
}
