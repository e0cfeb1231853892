// Command conformance writes docs/conformance.md, which lists for every
// requirement of the specifications the tests that prove it.
//
// A test proves a requirement when its name begins with the requirement's id
// without the hyphen: TestFS12_Name proves FS-12, TestFS12_FS13_Name proves
// two, and so do benchmarks, fuzz targets and subtests whose name is a literal
// string in the source, such as "FST25_ConflictMarkers" in a table of checks.
//
// With -check it writes nothing and fails if the page is stale, if a
// requirement has neither a test nor a reason in reasons.txt, if one has both,
// or if a test is named after a requirement that there is not.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", ".", "the `directory` of the repository")
	check := flag.Bool("check", false, "write nothing, and fail if something is stale or missing")
	flag.Parse()
	if err := run(*root, *check, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

// page is where the result goes, below the root.
const page = "docs/conformance.md"

// run writes or checks the page of the repository at root.
func run(root string, check bool, out io.Writer) error {
	specs, err := loadSpecs(specs)
	if err != nil {
		return err
	}
	why, err := loadReasons()
	if err != nil {
		return err
	}
	tests, err := scan(root)
	if err != nil {
		return err
	}
	r := join(specs, tests, why)
	for _, p := range r.problems {
		fmt.Fprintln(out, p)
	}
	fmt.Fprintln(out, r.summary())
	text := r.markdown()
	file := filepath.Join(root, page)
	if !check {
		return os.WriteFile(file, text, 0o644)
	}
	old, err := os.ReadFile(file)
	switch {
	case err != nil:
		return err
	case len(r.problems) > 0:
		return fmt.Errorf("%d problems", len(r.problems))
	case !bytes.Equal(old, text):
		return fmt.Errorf("%s is stale: run make conformance", page)
	}
	return nil
}
