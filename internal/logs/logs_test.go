package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// clockAt returns a clock that moves on by a millisecond and a half each time.
func clockAt(t time.Time) func() time.Time {
	return func() time.Time {
		now := t
		t = t.Add(1500 * time.Microsecond)
		return now
	}
}

// newTest returns logs with a known clock, and what they write.
func newTest(t *testing.T, opts Options) (l *Logs, stdout, stderr *bytes.Buffer) {
	t.Helper()
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	opts.Stdout, opts.Stderr = stdout, stderr
	opts.now = clockAt(time.Date(2026, 11, 23, 22, 41, 55, 0, time.UTC))
	l, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, stdout, stderr
}

func source(t *testing.T, l *Logs, name string) *Source {
	t.Helper()
	for _, s := range l.Sources() {
		if s.Name() == name {
			return s
		}
	}
	t.Fatalf("no source is called %s", name)
	return nil
}

func TestFS71_SourcesHaveNamesAndDocs(t *testing.T) {
	t.Parallel()
	l, _, _ := newTest(t, Options{})
	for _, name := range []string{Server, NineP, Git, Remotes, AutoPush} {
		s := source(t, l, name)
		if doc := s.Doc(); doc == "" || strings.ContainsAny(doc, "\r\n") {
			t.Errorf("doc of %s is %q, want one line", name, doc)
		}
	}
}

// app logs a message for whoever started the program.
func app(l *Logs, format string, args ...any) {
	l.Logger(Server).Log(context.Background(), slog.Level(App), fmt.Sprintf(format, args...))
}

func TestFS72_LevelsAreSetAtOnce(t *testing.T) {
	t.Parallel()
	words := []string{"quiet", "app", "error", "warning", "info", "debug"}
	messages := []Level{App, Error, Warning, Info, Debug}
	for i, word := range words {
		l, stdout, stderr := newTest(t, Options{})
		log := l.Logger(Remotes).With("k", 1) // made before the level is set
		if err := source(t, l, Remotes).SetLevel(" " + word + "\n"); err != nil {
			t.Fatalf("SetLevel(%s): %v", word, err)
		}
		if got := source(t, l, Remotes).Level(); got != word {
			t.Errorf("level is %s, want %s", got, word)
		}
		for _, m := range messages {
			log.Log(t.Context(), slog.Level(m), "x")
		}
		if got := strings.Count(stdout.String()+stderr.String(), "\n"); got != i {
			t.Errorf("at level %s %d of %d messages are logged, want %d", word, got, len(messages), i)
		}
	}
}

func TestFS72_OtherWordsAreNoLevels(t *testing.T) {
	t.Parallel()
	l, _, _ := newTest(t, Options{Level: Warning})
	s := source(t, l, Server)
	for _, word := range []string{"", "loud", "Info", "warn", "info debug", "0"} {
		if err := s.SetLevel(word); err == nil || !strings.HasSuffix(err.Error(), ": unknown log level") {
			t.Errorf("SetLevel(%q) = %v", word, err)
		}
	}
	if s.Level() != "warning" {
		t.Errorf("level is %s after words that are no levels, want warning", s.Level())
	}
}

func TestFST30_LevelOfASourceWithoutOne(t *testing.T) {
	t.Parallel()
	l, _, _ := newTest(t, Options{Level: Quiet})
	s := source(t, l, Git)
	if s.Level() != "quiet" {
		t.Fatalf("level is %s, want quiet", s.Level())
	}
	if err := s.SetLevel("info\n"); err != nil || s.Level() != "info" {
		t.Errorf("level is %s, %v, want info", s.Level(), err)
	}
}

func TestFS198_SomeSourcesStartAtInfo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		given         Level
		others, ninep string
	}{
		{Debug, "debug", "info"},
		{Info, "info", "info"},
		{Error, "error", "error"},
		{Quiet, "quiet", "quiet"},
	} {
		l, _, _ := newTest(t, Options{Level: tt.given})
		for name, want := range map[string]string{
			Server: tt.others, Remotes: tt.others, AutoPush: tt.others, NineP: tt.ninep, Git: tt.ninep,
		} {
			if got := source(t, l, name).Level(); got != want {
				t.Errorf("with level %s, source %s is at %s, want %s", tt.given, name, got, want)
			}
		}
	}
	l, _, stderr := newTest(t, Options{Level: Debug})
	l.Logger(NineP).Debug("hidden")
	if err := source(t, l, NineP).SetLevel("debug"); err != nil {
		t.Fatal(err)
	}
	l.Logger(NineP).Debug("shown")
	if got, want := stderr.String(), "[debug] shown\n"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

// logSamples writes messages of all kinds.
func logSamples(l *Logs) {
	app(l, "Starting %s", "datakit")
	log := l.Logger(Git)
	log.Warn("a branch moved", "branch", "a b", "n", 3, "took", time.Second)
	log.WithGroup("x").With("y", "z").WithGroup("").Error("two\nlines\x1b[2J",
		slog.Group("g", "h", `"`), slog.Group("", "in", true), "err", errors.New("bad\n"), slog.Attr{}, "empty", "")
}

func TestFS197_Destinations(t *testing.T) {
	t.Parallel()
	const (
		warnText  = `a branch moved branch="a b" n=3 took=1s` + "\n"
		errorText = `two lines [2J x.y=z x.g.h="\"" x.in=true x.err="bad\n" x.empty=""` + "\n"
	)
	for _, tt := range []struct {
		name           string
		opts           Options
		stdout, stderr string
	}{
		{"default", Options{}, "Starting datakit\n", "[warning] " + warnText + "[error] " + errorText},
		{"quiet", Options{Destination: "quiet"}, "Starting datakit\n", "[warning] " + warnText + "[error] " + errorText},
		{"timestamp", Options{Destination: "timestamp"},
			"2026-11-23 22:41 server [app] Starting datakit\n",
			"2026-11-23 22:41 git [warning] " + warnText + "2026-11-23 22:41 git [error] " + errorText},
		{"stderr", Options{Destination: "stderr", Clock: "monotonic"},
			"+1500us server [app] Starting datakit\n",
			"+3000us git [warning] " + warnText + "+4500us git [error] " + errorText},
		{"colors", Options{Color: "always"}, "Starting datakit\n",
			"[\x1b[33mwarning\x1b[0m] " + warnText + "[\x1b[31merror\x1b[0m] " + errorText},
		{"json", Options{Destination: "json"},
			`{"time":"2026-11-23T22:41:55.0015Z","level":"app","msg":"Starting datakit","src":"server"}` + "\n",
			`{"time":"2026-11-23T22:41:55.003Z","level":"warning","msg":"a branch moved","src":"git","branch":"a b","n":3,"took":1000000000}` + "\n" +
				`{"time":"2026-11-23T22:41:55.0045Z","level":"error","msg":"two\nlines\u001b[2J","src":"git","x.y":"z","x.g.h":"\"","x.in":true,"x.err":"bad\n","x.empty":""}` + "\n"},
		{"json monotonic", Options{Destination: "json", Clock: "monotonic"},
			`{"level":"app","msg":"Starting datakit","us":1500,"src":"server"}` + "\n",
			`{"level":"warning","msg":"a branch moved","us":3000,"src":"git","branch":"a b","n":3,"took":1000000000}` + "\n" +
				`{"level":"error","msg":"two\nlines\u001b[2J","us":4500,"src":"git","x.y":"z","x.g.h":"\"","x.in":true,"x.err":"bad\n","x.empty":""}` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, stdout, stderr := newTest(t, tt.opts)
			logSamples(l)
			if got := stdout.String(); got != tt.stdout {
				t.Errorf("stdout %q, want %q", got, tt.stdout)
			}
			if got := stderr.String(); got != tt.stderr {
				t.Errorf("stderr\n%s\nwant\n%s", got, tt.stderr)
			}
		})
	}
}

func TestFS197_UnknownWordsAreRefused(t *testing.T) {
	t.Parallel()
	foreign := []string{}
	for _, d := range Destinations()[4:] {
		if systemLogs[d] == nil {
			foreign = append(foreign, d)
		}
	}
	if len(foreign) == 0 {
		t.Error("this system has the logs of all systems")
	}
	bad := []Options{{Destination: "paper"}, {Color: "blue"}, {Clock: "sun"}}
	for _, d := range foreign {
		bad = append(bad, Options{Destination: d})
	}
	for _, opts := range bad {
		if l, err := New(opts); err == nil {
			l.Close()
			t.Errorf("New(%+v) succeeded", opts)
		}
		if err := CheckOptions(opts); err == nil {
			t.Errorf("CheckOptions(%+v) finds nothing", opts)
		}
	}
}

func TestColorIsForTerminals(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tt := range []struct {
		when, noColor string
		w             io.Writer
		want          bool
	}{
		{"", "", file, false},
		{"auto", "", new(bytes.Buffer), false},
		{"never", "", file, false},
		{"always", "1", file, true},
	} {
		t.Setenv("TERM", "xterm")
		t.Setenv("NO_COLOR", tt.noColor)
		if got := colored(tt.when, tt.w); got != tt.want {
			t.Errorf("color %q for %T with NO_COLOR=%q: %t, want %t", tt.when, tt.w, tt.noColor, got, tt.want)
		}
	}
}

// secrets have a URL each, and how it is logged.
var secrets = []struct{ in, want string }{
	{"https://bob:secret@example.com/x", "https://bob:xxxxx@example.com/x"},
	{"fetch https://bob:secret@h/ failed: ssh://git:secret@h:22/y", "fetch https://bob:xxxxx@h/ failed: ssh://git:xxxxx@h:22/y"},
	{`parse "https://bob:sec/ret@h/x": invalid port`, `parse "https://bob:xxxxx@h/x": invalid port`},
	{"https://bob:sec@ret@h/x@y", "https://bob:xxxxx@h/x@y"},
	{"https://:secret@h", "https://:xxxxx@h"},
	{"https://bob:@h", "https://bob:xxxxx@h"},
	{"https://secret@github.com/x", "https://xxxxx@github.com/x"},
	{"HTTPS://bob:secret@h", "HTTPS://bob:xxxxx@h"},
	{"ssh://git@github.com/x", "ssh://git@github.com/x"},
	{"git@github.com:x/y", "git@github.com:x/y"},
	{"http://h:8080/@x", "http://h:8080/@x"},
	{"http://[::1]/@x", "http://[::1]/@x"},
	{"https://h/x", "https://h/x"},
	{"", ""},
}

func TestFS199_PasswordsAreReplaced(t *testing.T) {
	t.Parallel()
	for _, tt := range secrets {
		if got := Redact(tt.in); got != tt.want {
			t.Errorf("Redact(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// A valuer is a value that computes what is logged of it.
type valuer string

func (v valuer) LogValue() slog.Value { return slog.GroupValue(slog.String("v", string(v))) }

func TestFS199_NoPasswordReachesTheLog(t *testing.T) {
	t.Parallel()
	const in = "https://bob:secret@h/"
	u, err := url.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, dest := range []string{"quiet", "timestamp", "json"} {
		l, stdout, stderr := newTest(t, Options{Destination: dest})
		app(l, "pushing to %s", in)
		log := l.Logger(AutoPush)
		log.Error("at "+in, "s", in, "u", u, "nil", (*url.URL)(nil))
		log.Error("x", "err", &url.Error{Op: "Get", URL: in, Err: io.EOF}, "list", []string{in}, "v", valuer(in))
		log.With("s", in).WithGroup("g").Error("x", slog.Group("h", "s", in), "bytes", []byte("x"))
		if all := stdout.String() + stderr.String(); strings.Contains(all, "secret") || strings.Count(all, "xxxxx") < 7 {
			t.Errorf("%s: logged\n%s", dest, all)
		}
	}
}

func TestFS200_MessagesAreCounted(t *testing.T) {
	t.Parallel()
	counts := make(map[string]int)
	l, _, _ := newTest(t, Options{Level: Warning, Count: func(level, source string) { counts[level+" "+source]++ }})
	app(l, "x")
	l.Logger(Git).Warn("x")
	l.Logger(Git).Warn("x")
	l.Logger(Git).Info("not logged")
	if got, want := fmt.Sprint(counts), "map[app server:1 warning git:2]"; got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
}

func TestMessagesStayWhole(t *testing.T) {
	t.Parallel()
	l, _, stderr := newTest(t, Options{Destination: "json"})
	var wg sync.WaitGroup
	for i := range 4 {
		log := l.Logger(sources[i].name).With("i", i)
		wg.Go(func() {
			for range 100 {
				log.Error("x", "y", strings.Repeat("z", 100))
			}
		})
	}
	wg.Wait()
	dec := json.NewDecoder(stderr)
	for n := 0; ; n++ {
		var v map[string]any
		if err := dec.Decode(&v); err == io.EOF {
			if n != 400 {
				t.Errorf("%d messages, want 400", n)
			}
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTimesAreForPeople: an attribute that is a time needs neither quotes nor
// fractions of a second.
func TestTimesAreForPeople(t *testing.T) {
	t.Parallel()
	l, _, stderr := newTest(t, Options{})
	l.Logger(Server).Warn("later", "again", time.Date(2026, 11, 23, 22, 42, 7, 123456789, time.UTC))
	if got, want := stderr.String(), "[warning] later again=2026-11-23T22:42:07Z\n"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestUnknownSourcePanics(t *testing.T) {
	t.Parallel()
	l, _, _ := newTest(t, Options{})
	defer func() {
		if recover() == nil {
			t.Error("Logger of a source that is not there did not panic")
		}
	}()
	l.Logger("none")
}

func FuzzRedact(f *testing.F) {
	for _, tt := range secrets {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil || u.User == nil || u.Scheme == "" || u.Host == "" {
			return
		}
		pw, _ := u.User.Password()
		if pw == "" || strings.Contains(redacted, pw) {
			return
		}
		got, err := url.Parse(Redact(u.String()))
		if err != nil {
			return
		}
		if left, _ := got.User.Password(); left != redacted {
			t.Fatalf("Redact(%q) leaves password %q", u, left)
		}
	})
}
