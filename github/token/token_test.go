package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place is where a test puts the token of a place of GH-196.
type place struct {
	search Search
	env    map[string]string
	home   string
}

func newPlace(t *testing.T) *place {
	p := &place{home: t.TempDir(), env: map[string]string{}}
	p.env["HOME"] = p.home
	p.search = Search{Secrets: t.TempDir(), Getenv: func(name string) string { return p.env[name] }}
	return p
}

func (p *place) jar() string { return filepath.Join(p.home, ".github", "jar", Cookie) }

func write(t *testing.T, name, content string, mode fs.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestGH196_GH270_Order(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := func(token, source string) {
		t.Helper()
		got, from, err := p.search.Find()
		if err != nil || got.Reveal() != token || from != source {
			t.Errorf("Find = %q from %q, %v, want %q from %q", got.Reveal(), from, err, token, source)
		}
	}
	secrets := write(t, filepath.Join(p.search.Secrets, Cookie), "five", 0o600)
	want("five", secrets)
	if err := os.MkdirAll(filepath.Dir(p.jar()), 0o755); err != nil {
		t.Fatal(err)
	}
	want("five", secrets) // an empty jar hides nothing
	write(t, p.jar(), "four", 0o600)
	want("four", p.jar())
	p.env["GITHUB_TOKEN"] = "three"
	want("three", "$GITHUB_TOKEN")
	p.env["DATAKIT_GITHUB_TOKEN"] = "two"
	want("two", "$DATAKIT_GITHUB_TOKEN")
	p.search.File = filepath.Join(p.home, "named")
	want("two", "$DATAKIT_GITHUB_TOKEN")
	write(t, p.search.File, "one", 0o600)
	want("one", p.search.File)
}

// TestGH196_WrongVariable: the error names a variable as it does a file.
func TestGH196_WrongVariable(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.env["DATAKIT_GITHUB_TOKEN"] = "hush hush"
	_, _, err := p.search.Find()
	if err == nil || !strings.HasPrefix(err.Error(), "read the token $DATAKIT_GITHUB_TOKEN: ") || strings.Contains(err.Error(), "hush") {
		t.Errorf("Find with a wrong variable: %v", err)
	}
}

func TestGH197_Contents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ content, want string }{
		{"abc", "abc"},
		{" \n abc\r\n", "abc"},
		{`{"token": "abc", "note": ["x"], "id": 1}`, "abc"},
		{"\n{\"token\": \" abc\\n\"}\n", "abc"},
		{"", ""},
		{" \n", ""},
		{`{"note": "abc"}`, ""},
		{`{"token": 7}`, ""},
		{`{"token": "hush`, ""},
		{"hush hush", ""},
		{"hush\x00", ""},
		{strings.Repeat("hush", maxFile), ""},
	} {
		p := newPlace(t)
		write(t, p.jar(), tt.content, 0o600)
		got, _, err := p.search.Find()
		if got.Reveal() != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Find with %.40q = %q, %v, want %q", tt.content, got.Reveal(), err, tt.want)
		}
		if err != nil && (strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), p.jar())) {
			t.Errorf("Find with %.40q: the error must name the file and not what is in it: %v", tt.content, err)
		}
	}
}

func TestGH198_OthersLoseAccess(t *testing.T) {
	t.Parallel()
	for mode, want := range map[fs.FileMode]fs.FileMode{0o600: 0o600, 0o640: 0o640, 0o664: 0o660, 0o601: 0o600, 0o777: 0o770} {
		p := newPlace(t)
		write(t, p.jar(), "abc", mode)
		if _, _, err := p.search.Find(); err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
		info, err := os.Stat(p.jar())
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("mode %o became %v, %v, want %o", mode, info.Mode(), err, want)
		}
	}
}

// TestGH198_DirectoryStaysAsItIs: it is no token file, whatever its permissions.
func TestGH198_DirectoryStaysAsItIs(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.search.File = filepath.Join(p.home, "named")
	if err := os.Mkdir(p.search.File, 0o755); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(p.search.File)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.search.Find(); datakit.KindOf(err) != datakit.Invalid || !strings.Contains(err.Error(), p.search.File+": it is a directory") {
		t.Errorf("Find in a directory: %v", err)
	}
	if after, err := os.Stat(p.search.File); err != nil || after.Mode() != before.Mode() {
		t.Errorf("mode %v became %v, %v", before.Mode(), after.Mode(), err)
	}
}

func TestGH198_GH270_PermissionsAreTheReason(t *testing.T) {
	t.Parallel()
	for name, chmod := range map[string]func(*os.File, fs.FileMode) error{
		"refused": func(*os.File, fs.FileMode) error { return fs.ErrPermission },
		"ignored": func(*os.File, fs.FileMode) error { return nil },
	} {
		p := newPlace(t)
		write(t, p.jar(), "abc", 0o644)
		write(t, filepath.Join(p.search.Secrets, Cookie), "other", 0o600)
		p.search.chmod = chmod
		_, _, err := p.search.Find()
		if err == nil || !strings.Contains(err.Error(), "permissions 0644") || strings.Contains(err.Error(), "abc") || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGH199_GH270_None(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.search.File = filepath.Join(p.home, "named")
	_, _, err := p.search.Find()
	if datakit.KindOf(err) != datakit.NotExist {
		t.Fatalf("Find without a token: %v", err)
	}
	text := err.Error()
	for _, part := range []string{p.search.File, "DATAKIT_GITHUB_TOKEN", "GITHUB_TOKEN", p.jar(), p.search.Secrets, "https://github.com/settings/tokens", "scope repo"} {
		if !strings.Contains(text, part) {
			t.Errorf("the error does not name %s: %s", part, text)
		}
	}
	if strings.Contains(text, "\n") {
		t.Errorf("the error has several lines: %q", text)
	}
	if left, err := os.ReadDir(p.home); err != nil || len(left) != 0 {
		t.Errorf("the home folder has %v, %v", left, err)
	}
}

func TestGH166_HowTo(t *testing.T) {
	t.Parallel()
	for api, want := range map[string]string{
		"":                               "https://github.com/settings/tokens",
		"https://api.github.com":         "https://github.com/settings/tokens",
		"https://git.example.com/api/v3": "https://git.example.com/settings/tokens",
		"https://api.corp.ghe.com/":      "https://corp.ghe.com/settings/tokens",
	} {
		got := HowTo(api)
		for _, part := range []string{want, "the scope repo", "admin:repo_hook for webhooks"} {
			if !strings.Contains(got, part) {
				t.Errorf("HowTo(%q) = %q, want %s in it", api, got, part)
			}
		}
	}
}

func TestGH201_SecretIsNotShown(t *testing.T) {
	t.Parallel()
	s := NewSecret("hush")
	if s != NewSecret("hush") || s == NewSecret("other") || s.IsZero() || !NewSecret("").IsZero() || (Secret{}).Reveal() != "" {
		t.Error("secrets do not compare as their texts")
	}
	holder := struct{ Token Secret }{s}
	hidden := struct{ token Secret }{s}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", s, "holder", holder)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", s, "holder", holder, "pointer", &s)
	data, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(data) + s.Hide("my hush, my hush")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		all += fmt.Sprintf(verb+verb+verb+verb+verb, s, &s, holder, hidden, &hidden)
	}
	for _, leak := range []string{"hush", fmt.Sprintf("%x", "hush"), fmt.Sprintf("%X", "hush")} {
		if strings.Contains(all, leak) {
			t.Errorf("%q is in %s", leak, all)
		}
	}
}
