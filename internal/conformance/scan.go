package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A proof is a test, and the requirements that its name says it proves.
type proof struct {
	Name string // such as "p9.TestFS134_Versions"
	IDs  []string
}

// idsPattern matches the ids at the beginning of a test's name.
var idsPattern = regexp.MustCompile(`^([A-Z]+[0-9]+)(_[A-Z]+[0-9]+)*(_|$)`)

// idPart parts one of them into prefix and number.
var idPart = regexp.MustCompile(`^([A-Z]+)([0-9]+)$`)

// ids returns the ids that a test's name begins with, as the specification
// writes them: FS-12 and FS-13 for FS12_FS13_Name.
func ids(name string) []string {
	m := idsPattern.FindString(name)
	var out []string
	for p := range strings.SplitSeq(strings.Trim(m, "_"), "_") {
		if part := idPart.FindStringSubmatch(p); part != nil {
			out = append(out, part[1]+"-"+part[2])
		}
	}
	return out
}

// scan returns the proofs in the Go files of the repository at root: in tests
// everywhere, and in all of dbtest, whose checks are run by other packages.
func scan(root string) ([]proof, error) {
	var all []proof
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); file != root && (strings.HasPrefix(n, ".") || n == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(rel))
		if dir == "internal/conformance" || !holdsTests(dir, d.Name()) {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, fileProofs(dir, f)...)
		return nil
	})
	slices.SortFunc(all, func(a, b proof) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b proof) bool { return a.Name == b.Name }), err
}

func holdsTests(dir, name string) bool {
	return strings.HasSuffix(name, "_test.go") || dir == "dbtest" && strings.HasSuffix(name, ".go")
}

// fileProofs returns what one file of the package in dir proves.
func fileProofs(dir string, f *ast.File) []proof {
	if dir == "." {
		dir = "datakit"
	}
	var out []proof
	add := func(name, tail string) {
		if found := ids(tail); len(found) > 0 {
			out = append(out, proof{dir + "." + name, found})
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			for _, kind := range []string{"Test", "Fuzz", "Benchmark"} {
				if tail, ok := strings.CutPrefix(n.Name.Name, kind); ok && n.Recv == nil {
					add(n.Name.Name, tail)
				}
			}
		case *ast.BasicLit:
			if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && isName(s) {
				add(s, s)
			}
		}
		return true
	})
	return out
}

// isName reports whether s may be the name of a subtest: ids, and a tail in
// one word or a few.
func isName(s string) bool {
	return len(s) < 100 && strings.Contains(s, "_") && !strings.ContainsAny(s, "\n/")
}
