package main

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	for name, want := range map[string]string{
		"FS12_ShortName":      "FS-12",
		"FST7":                "FST-7",
		"FS12_FST13_Name":     "FS-12 FST-13",
		"FS12_FS13":           "FS-12 FS-13",
		"FS12Name":            "",
		"Name_FS12":           "",
		"SHA1_Names":          "SHA-1",
		"FS12_UTF8Names":      "FS-12",
		"Fs12_NotAnID":        "",
		"FS_12":               "",
		"":                    "",
		"FS1_9P2000_Versions": "FS-1",
	} {
		if got := strings.Join(ids(name), " "); got != want {
			t.Errorf("ids(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestFileProofs(t *testing.T) {
	const src = `package p
		func TestFS1_Alpha(t *testing.T) { t.Run("FST2_Beta", nil) }
		func FuzzFS3_Gamma(f *testing.F) {}
		func helperFS4_Delta() {}
		func (x) TestFS5_Method() {}
		var checks = []check{{"FS6_FS7_Table", nil}, {"FS8 is mentioned in a sentence_", nil}}
		func TestPlain(t *testing.T) {}`
	f, err := parser.ParseFile(token.NewFileSet(), "p_test.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range fileProofs("a/p", f) {
		got = append(got, p.Name+"="+strings.Join(p.IDs, "+"))
	}
	want := []string{"a/p.TestFS1_Alpha=FS-1", "a/p.FST2_Beta=FST-2", "a/p.FuzzFS3_Gamma=FS-3", "a/p.FS6_FS7_Table=FS-6+FS-7"}
	if !slices.Equal(got, want) {
		t.Errorf("fileProofs = %q, want %q", got, want)
	}
}

func TestJoin(t *testing.T) {
	sections, err := parseList("# remark\n## One\nFS-1 first\nFS-2 second\nFS-3 third\n", []string{"FS"})
	if err != nil {
		t.Fatal(err)
	}
	r := join([]spec{{Prefixes: []string{"FS"}, sections: sections}},
		[]proof{{"p.TestFS1_A", []string{"FS-1"}}, {"p.TestFS9", []string{"FS-9"}}, {"p.TestCL1", []string{"CL-1"}}},
		map[string]string{"FS-1": "none", "FS-2": "by design", "FS-4": "gone"})
	want := []string{
		"FS-1 has a test now: remove its reason",
		"FS-3 (third) has neither a test nor a reason",
		"p.TestFS9 names FS-9, which is no requirement",
		"reasons.txt names FS-4, which is no requirement",
	}
	if !slices.Equal(r.problems, want) {
		t.Errorf("problems = %q, want %q", r.problems, want)
	}
	page := string(r.markdown())
	for _, line := range []string{"1 of 3 requirements have tests.", "| **FS-1** first | p: `TestFS1_A` |", "| **FS-2** second | no test: by design |"} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("the page lacks %q:\n%s", line, page)
		}
	}
}

func TestListsAreSound(t *testing.T) {
	loaded, err := loadSpecs(specs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loadReasons(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range (&report{specs: loaded}).items() {
		n++
	}
	if want := 226 + 31 + 122 + 28 + 277 + 31; n != want {
		t.Errorf("there are %d requirements and cases, want %d", n, want)
	}
}

func TestParseListRefuses(t *testing.T) {
	for _, text := range []string{"FS-1 before any heading", "## H\nFS-1", "## H\nXX-1 prefix", "## H\nFS-1 a\nFS-1 b", "## H\nnonsense"} {
		if _, err := parseList(text, []string{"FS"}); err == nil {
			t.Errorf("parseList(%q) succeeded, want an error", text)
		}
	}
}
