package capability_test

import (
	"errors"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t testing.TB, text string) capability.Set {
	t.Helper()
	s, err := capability.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGH143_GH146_PrintAndParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"*:rw", "*:rw"},
		{"*:r,status:rw", "*:r,status:rw"},
		{"webhook:rw,*:r,status[ci/datakit]:x", "*:r,status[ci/datakit]:x,webhook:rw"},
		{"*:w,commit:,webhook:r", "*:w,commit:,webhook:r"},
		{"pr:wrxrw", "pr:xrw"},
		{"pr:,ref:r", "ref:r"},
		{"*:,pr:", "*:"},
		{"status[ci: linux, macos/x]:r", "status[ci: linux, macos/x]:r"},
		{"status[a]:r,status[a/b]:", "status[a/b]:,status[a]:r"}, // without the last, a/b could be read
		{"pr:r,repo:", "pr:r,repo:"},                             // without the last, all repositories were synchronised
	} {
		if got := parse(t, tt.text).String(); got != tt.want {
			t.Errorf("Parse(%q) prints %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestGHT4_SameText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"pr:rw,status:w", "*:w,commit:,webhook:r"} {
		if got := parse(t, text).String(); got != text {
			t.Errorf("Parse(%q) prints %q", text, got)
		}
	}
}

func TestGHT5_AllowAndPrint(t *testing.T) {
	t.Parallel()
	for _, s := range []capability.Set{
		capability.All().Allow(capability.Read, capability.Status("foo/bar")),
		capability.All().Allow(capability.Write, capability.Commit),
	} {
		if got := parse(t, s.String()); !got.Equal(s) {
			t.Errorf("%v, printed and parsed, is %v", s, got)
		}
	}
}

func TestGH144_GH147_GH148_DefaultsAndEquality(t *testing.T) {
	t.Parallel()
	if !parse(t, "*:rw").Equal(capability.All()) || !parse(t, "*:").Equal(capability.None()) || capability.None().String() != "*:" {
		t.Error("all or none is wrong")
	}
	if capability.All().Allows(capability.Exclusive, capability.PR) {
		t.Error("all is exclusive")
	}
	if !parse(t, "pr:r,ref:w").Equal(parse(t, "ref:w,pr:r")) || parse(t, "pr:r").Equal(parse(t, "*:r")) || parse(t, "*:r,pr:r").Equal(parse(t, "*:r")) {
		t.Error("equality is wrong")
	}
	if parse(t, "pr:r").Allows(capability.Read, capability.Ref) {
		t.Error("without a default, refs can be read")
	}
}

func TestGH145_GH259_Errors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, part string
		position   int
		reason     string
	}{
		{"", "", 1, `missing ":"`},
		{"pr", "pr", 1, `missing ":"`},
		{"*:r,,pr:r", "", 5, `missing ":"`},
		{"*:r,", "", 5, `missing ":"`},
		{"*:r,foo:r", "foo", 5, "invalid resource"},
		{"pr[x]:r", "pr[x]", 1, "invalid resource"},
		{"*:r,status[a:r", "status[a", 5, "invalid resource"},
		{"status[a:r,status[b]:r", "status[a", 1, "invalid resource"},
		{"status[]:r", "status[]", 1, "invalid resource"},
		{"status[a//b]:r", "status[a//b]", 1, "invalid resource"},
		{"status[ab):r", "status[ab)", 1, "invalid resource"},
		{"status[é]:,pr :r", "pr ", 12, "invalid resource"},
		{"*:r,pr:rz", "rz", 8, "invalid operations"},
		{"pr:r,ref:w,pr:w", "pr", 12, "given twice"},
		{"*:r,*:w", "*", 5, "given twice"},
	} {
		_, err := capability.Parse(tt.text)
		var fault *capability.ParseError
		if !errors.Is(err, datakit.Invalid) || !errors.As(err, &fault) {
			t.Errorf("Parse(%q): %v, want a ParseError", tt.text, err)
			continue
		}
		if want := (capability.ParseError{Text: tt.part, Position: tt.position, Reason: tt.reason}); *fault != want {
			t.Errorf("Parse(%q): %+v, want %+v", tt.text, *fault, want)
		}
	}
}

// check holds what s allows against the letters of want: r, w, x.
func check(t *testing.T, text string, r capability.Resource, want string) {
	t.Helper()
	s, got := parse(t, text), ""
	for _, o := range []struct {
		op     capability.Op
		letter string
	}{{capability.Read, "r"}, {capability.Write, "w"}, {capability.Exclusive, "x"}} {
		if s.Allows(o.op, r) {
			got += o.letter
		}
	}
	if got != want {
		t.Errorf("%q allows %q on %s, want %q", text, got, r, want)
	}
}

func TestGH149_Operations(t *testing.T) {
	t.Parallel()
	for ops, want := range map[string]string{"": "", "r": "r", "w": "w", "rw": "rw", "x": "rwx", "xr": "rwx"} {
		check(t, "pr:"+ops, capability.PR, want)
	}
}

func TestGHT6_WriteOnly(t *testing.T) { check(t, "*:w", capability.PR, "w") }

func TestGHT7_LongestRepository(t *testing.T) {
	check(t, "repo[samoht]:w,repo:r", capability.Repo(github.Repo{User: "samoht", Name: "test"}), "w")
}

func TestGHT8_CommitsByDefault(t *testing.T) { check(t, "*:w,pr:r", capability.Commit, "w") }

func TestGHT9_Prefix(t *testing.T) {
	check(t, "status[foo/bar]:r", capability.Status("foo/bar/0"), "r")
}

func TestGH150_GH256_GH258_OneEntryDecides(t *testing.T) {
	t.Parallel()
	const text = "*:w,status:rw,status[ci]:r,status[ci/x]:x,repo:r,repo[moby]:,repo[moby/datakit]:rw"
	check(t, text, capability.Status("other"), "rw")
	check(t, text, capability.Status("ci"), "r")
	check(t, text, capability.Status("cix"), "rw")
	check(t, text, capability.Status("ci/y"), "r")
	check(t, text, capability.Status("ci/x/y"), "rwx")
	check(t, text, capability.PR, "w")
	check(t, text, capability.Repo(github.Repo{User: "moby", Name: "datakit"}), "rw")
	check(t, text, capability.Repo(github.Repo{User: "moby", Name: "moby"}), "")
	check(t, text, capability.Repo(github.Repo{User: "datakit", Name: "moby"}), "r")
	check(t, "*:r,status:rw", capability.Status("ci"), "rw")
}

func TestGH151_Filter(t *testing.T) {
	t.Parallel()
	r := github.Repo{User: "a", Name: "b"}
	c := github.Commit{Repo: r, Hash: "1"}
	status := func(ctx github.Context) github.Status {
		return github.NewStatus(c, ctx, github.Success, "", "")
	}
	d := github.NewDiff(
		[]github.Element{c, r, github.Ref{Commit: c, Name: "heads/m"}, status("ci/x"), status("other"), github.PR{Head: c}},
		[]github.ID{github.PRID{Repo: r, Number: 1}, github.StatusID{Commit: c, Context: "ci"}, github.Repo{User: "b", Name: "a"}})
	for _, tt := range []struct {
		text string
		want github.Diff
	}{
		{"*:w", github.Diff{}},
		{"*:r", d},
		{"pr:r", github.NewDiff([]github.Element{github.PR{Head: c}}, []github.ID{github.PRID{Repo: r, Number: 1}})},
		{"status[ci]:x", github.NewDiff([]github.Element{status("ci/x")}, []github.ID{github.StatusID{Commit: c, Context: "ci"}})},
		{"repo[a]:r,commit:r", github.NewDiff([]github.Element{r, c}, nil)},
		{"ref:r", github.NewDiff([]github.Element{github.Ref{Commit: c, Name: "heads/m"}}, nil)},
	} {
		if got := parse(t, tt.text).Filter(capability.Read, d); !got.Equal(tt.want) {
			t.Errorf("%s lets through %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestGH152_GH260_AllowAndDisallow(t *testing.T) {
	t.Parallel()
	ci := capability.Status("ci")
	for _, tt := range []struct {
		from  string
		allow bool
		op    capability.Op
		r     capability.Resource
		want  string
	}{
		{"*:rw", true, capability.Exclusive, ci, "*:rw,status[ci]:xrw"},
		{"*:w", true, capability.Read, capability.PR, "*:w,pr:rw"},
		{"status:w", true, capability.Read, ci, "status:w,status[ci]:rw"},
		{"*:", true, capability.Read, capability.PR, "pr:r"},
		{"*:r,pr:w", true, capability.Write, capability.Default, "*:rw,pr:w"},
		{"*:rw", false, capability.Write, capability.Ref, "*:rw,ref:r"},
		{"*:x", false, capability.Read, capability.Ref, "*:x,ref:w"},
		{"*:x", false, capability.Exclusive, capability.Ref, "*:x,ref:rw"},
		{"*:rw", false, capability.Write, capability.Default, "*:r"},
		{"pr:r", false, capability.Read, capability.PR, "*:"},
	} {
		s := parse(t, tt.from)
		change := s.Disallow
		if tt.allow {
			change = s.Allow
		}
		if got := change(tt.op, tt.r); got.String() != tt.want || got.Allows(tt.op, tt.r) != tt.allow {
			t.Errorf("%s with %v of %s set to %v is %v, want %s", tt.from, tt.op, tt.r, tt.allow, got, tt.want)
		}
		if s.String() != tt.from {
			t.Errorf("%s has become %v", tt.from, s)
		}
	}
}

func TestGH153_Syncs(t *testing.T) {
	t.Parallel()
	r := github.Repo{User: "moby", Name: "datakit"}
	for text, want := range map[string]bool{
		"*:":                           true,
		"*:w":                          true,
		"repo[moby]:r":                 true,
		"repo[moby/datakit]:x":         true,
		"*:rw,repo[moby]:w":            false,
		"*:rw,repo[other]:r":           false,
		"repo:r,repo[moby]:":           false,
		"repo:,repo[moby/datakit]:r":   true,
		"*:rw,repo:":                   false,
		"repo:":                        false,
		"*:rw,repo:r,repo[datakit]:rw": true,
	} {
		if got := parse(t, text).Syncs(r); got != want {
			t.Errorf("%q synchronises %v: %v, want %v", text, r, got, want)
		}
	}
}

// TestGH146_RoundTrip prints and parses sets made by any changes.
func TestGH146_RoundTrip(t *testing.T) {
	t.Parallel()
	resources := []capability.Resource{
		capability.Default, capability.PR, capability.Commit, capability.Ref, capability.Webhook,
		capability.AnyStatus, capability.Status("ci"), capability.Status("ci/x"), capability.Status("ci/x/y"),
		capability.AnyRepo, "repo[a]", "repo[a/b]", "repo[b]",
	}
	probes := append(resources, capability.Status("ci/z"), "repo[a/c]", "repo[z/z]")
	rapid.Check(t, func(t *rapid.T) {
		var s capability.Set
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			op := rapid.SampledFrom([]capability.Op{capability.Read, capability.Write, capability.Exclusive}).Draw(t, "op")
			r := rapid.SampledFrom(resources).Draw(t, "resource")
			if rapid.Bool().Draw(t, "allow") {
				s = s.Allow(op, r)
			} else {
				s = s.Disallow(op, r)
			}
		}
		got, err := capability.Parse(s.String())
		if err != nil || !got.Equal(s) {
			t.Fatalf("%v, printed and parsed, is %v, %v", s, got, err)
		}
		for _, r := range probes {
			if got.For(r) != s.For(r) {
				t.Fatalf("%v, printed and parsed, gives %v on %s, want %v", s, got.For(r), r, s.For(r))
			}
		}
	})
}

func FuzzGH143_Parse(f *testing.F) {
	for _, text := range []string{"", "*:rw", "*:r,status[ci/x, y]:x,repo[a/b]:", "status[a,b[c]:r", "pr:r,pr:w"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := capability.Parse(text)
		if err != nil {
			var fault *capability.ParseError
			if !errors.As(err, &fault) || fault.Position < 1 || fault.Position > len(text)+1 {
				t.Fatalf("Parse(%q): %v", text, err)
			}
			return
		}
		if got, err := capability.Parse(s.String()); err != nil || !got.Equal(s) {
			t.Fatalf("Parse(%q) = %v, which parses to %v, %v", text, s, got, err)
		}
	})
}
