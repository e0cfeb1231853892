package record_test

import (
	"errors"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/record"
)

// show returns what a field is.
func show[T any](f *record.Field[T], text func(T) string) func() string {
	return func() string { return text(f.Value()) }
}

func TestCL92_CL94_Values(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		def := "def"
		fields := map[string]func() string{
			"string": show(record.String(r, "string", "def"), func(s string) string { return "<" + s + ">" }),
			"opt":    show(record.Optional(r, "opt", &def), optional),
			"none":   show(record.Optional(r, "none", nil), optional),
			"int":    show(record.Int(r, "int", -3), func(n int) string { return big.NewInt(int64(n)).String() }),
			"bool":   show(record.Bool(r, "bool", true), func(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }),
			"wait":   show(record.Duration(r, "wait", 90*time.Second), time.Duration.String),
			"addr":   show(record.Text(r, "addr", netip.MustParseAddr("::1")), netip.Addr.String),
			"big":    show(record.Text(r, "big", *big.NewInt(7)), func(n big.Int) string { return n.String() }),
		}
		e.check(r.Seal(e.ctx))
		for key, want := range map[string]string{
			"string": "def", "opt": "def", "none": absent, "int": "-3", "bool": "true", "wait": "1m30s", "addr": "::1", "big": "7",
		} {
			e.has("defaults", "tests/"+datakit.Path(key), want)
		}
		for _, tt := range []struct{ key, content, want string }{
			{"string", " a \n", "< a \n>"},
			{"string", "", "<>"},
			{"string", absent, "<def>"},
			{"opt", " a \n", "a"},
			{"opt", "", ""},
			{"none", "x\n", "x"},
			{"none", absent, "nil"},
			{"int", " 12\n", "12"},
			{"int", "-0012", "-12"},
			{"int", "0x12", "-3"},
			{"int", "1e3", "-3"},
			{"int", "", "-3"},
			{"int", "99999999999999999999", "-3"},
			{"int", absent, "-3"},
			{"bool", "f", "no"},
			{"bool", "FALSE\n", "no"},
			{"bool", "False", "no"},
			{"bool", "0", "no"},
			{"bool", "T", "yes"},
			{"bool", "1", "yes"},
			{"bool", "no", "yes"},
			{"wait", "2h\n", "2h0m0s"},
			{"wait", "2", "1m30s"},
			{"addr", "10.0.0.1\n", "10.0.0.1"},
			{"addr", "10.0.0", "::1"},
			{"big", "123456789012345678901234567890", "123456789012345678901234567890"},
			{"big", "\xff\x00", "7"},
		} {
			path := "tests/" + datakit.Path(tt.key)
			if tt.content == absent {
				e.remove("master", path)
			} else {
				e.put("master", string(path), tt.content)
			}
			e.check(r.Seal(e.ctx))
			if got := fields[tt.key](); got != tt.want {
				e.Errorf("%s of content %q = %q, want %q", tt.key, tt.content, got, tt.want)
			}
		}
	})
}

func optional(s *string) string {
	if s == nil {
		return "nil"
	}
	return *s
}

func TestCL89_CL90_WritingDefaults(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "tests/a/b", "user")
		e.put("defaults", "tests/gone", "x", "tests/same", "same", "tests/other", "other")
		r := e.open(config())
		record.String(r, "a/b", "first")
		record.String(r, "a/b", "second")
		e.check(r.WriteDefaults(e.ctx))
		record.Optional(r, "gone", nil)
		record.String(r, "same", "same")
		record.String(r, "other", "mine")
		e.check(r.Seal(e.ctx))
		e.check(r.Seal(e.ctx))
		want := []string{
			"fill-in default for [tests gone], [tests other]",
			"fill-in default for [tests a b]",
			"fill-in default for [tests schema-version]",
			"put",
		}
		if got := e.messages("defaults"); !slices.Equal(got, want) {
			e.Errorf("commits of the defaults: %q, want %q", got, want)
		}
		e.has("defaults", "tests/a/b", "second")
		e.has("defaults", "tests/gone", absent)
		e.has("defaults", "tests/other", "mine")
		e.has("master", "tests/a/b", "user")
	})
}

func TestCL90_FailureIsReturnedLater(t *testing.T) {
	over(t, func(e *env) {
		e.put("defaults", "tests/dir", "a file in the way")
		e.put("master", "tests/n", "5")
		r := e.open(config())
		f, n := record.String(r, "dir/key", "hello"), record.Int(r, "n", 1)
		is(e, "dir/key", f, "hello")
		for name, fn := range map[string]error{"Seal": r.Seal(e.ctx), "Wait": r.Wait(e.ctx)} {
			if !errors.Is(fn, datakit.NotDir) {
				e.Errorf("%s: %v, want kind %v", name, fn, datakit.NotDir)
			}
		}
		is(e, "n", n, 5)
		e.remove("defaults", "tests/dir")
		e.check(r.Seal(e.ctx))
		e.has("defaults", "tests/dir/key", "hello")
	})
}

func TestCL90_OthersAreWritten(t *testing.T) {
	over(t, func(e *env) {
		e.put("defaults", "tests/db", "a file in the way")
		r := e.open(config())
		record.String(r, "db/x", "hello")
		record.Optional(r, "db/y", nil)
		record.String(r, "other", "mine")
		record.String(r, "pair", "file")
		record.String(r, "pair/key", "below it")
		if err := r.Seal(e.ctx); !errors.Is(err, datakit.NotDir) || !strings.Contains(err.Error(), "tests/pair/key") {
			e.Errorf("Seal: %v, want errors for both keys", err)
		}
		e.has("defaults", "tests/other", "mine")
		e.has("defaults", "tests/pair", "file")
		e.put("defaults", "tests/other", "changed")
		e.remove("defaults", "tests/db")
		r.Seal(e.ctx) // still fails for pair/key
		e.has("defaults", "tests/db/x", "hello")
		e.has("defaults", "tests/other", "changed")
	})
}

func TestCL90_MalformedKeys(t *testing.T) {
	inMemory(t, func(e *env) {
		for _, key := range []string{"", "/a", "a/", "a//b", "..", "a/.git/b", "a\x00", strings.Repeat("x", 300)} {
			r := e.open(config())
			f := record.String(r, key, "hello")
			good := record.String(r, "good", "x")
			e.put("master", "tests/good", "y")
			if err := r.Seal(e.ctx); !errors.Is(err, datakit.Invalid) {
				e.Errorf("Seal with key %q: %v, want kind %v", key, err, datakit.Invalid)
			}
			if err := f.Set(e.ctx, "", "x"); !errors.Is(err, datakit.Invalid) {
				e.Errorf("Set of key %q: %v, want kind %v", key, err, datakit.Invalid)
			}
			if err := r.Set(e.ctx, "", f.Unset()); !errors.Is(err, datakit.Invalid) {
				e.Errorf("Unset of key %q: %v, want kind %v", key, err, datakit.Invalid)
			}
			is(e, key, f, "hello")
			is(e, "good", good, "y")
			e.check(r.Close())
		}
	})
}

func TestCL91_CL100_DefaultUntilSeal(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "tests/n", "5")
		r := e.open(config())
		e.check(r.Wait(e.ctx))
		n := record.Int(r, "n", 1)
		is(e, "n", n, 1)
		e.check(r.Seal(e.ctx))
		is(e, "n", n, 5)
	})
}

func TestCL93_LookupOrder(t *testing.T) {
	over(t, func(e *env) {
		cfg := config()
		cfg.Lookup = []string{"user", "site", "defaults"}
		r := e.open(cfg)
		f := record.String(r, "key", "d")
		for _, tt := range []struct{ branch, content, want string }{
			{"defaults", "d", "d"},
			{"site", "s", "s"},
			{"user", "", ""},
			{"site", "t", ""},
			{"user", absent, "t"},
			{"site", absent, "d"},
		} {
			if tt.content == absent {
				e.remove(tt.branch, "tests/key")
			} else {
				e.put(tt.branch, "tests/key", tt.content)
			}
			e.check(r.Seal(e.ctx))
			is(e, "key", f, tt.want)
		}
		e.check(e.db.Branch("user").Remove(e.ctx))
		e.check(r.Seal(e.ctx))
		is(e, "key", f, "d")
	})
}

func TestCL93_SomethingElseIsThere(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		key, dir, n := record.String(r, "key", "d"), record.String(r, "dir/key", "d"), record.Int(r, "n", 0)
		e.put("master", "tests/key", "one", "tests/dir/key", "one")
		e.check(r.Seal(e.ctx))
		e.remove("master", "tests")
		e.put("master", "tests/key/sub", "", "tests/dir", "", "tests/n", "5")
		if err := r.Seal(e.ctx); !errors.Is(err, datakit.NotFile) || !strings.Contains(err.Error(), "tests/dir/key") {
			e.Errorf("Seal: %v, want errors for both keys", err)
		}
		is(e, "key", key, "one")
		is(e, "dir/key", dir, "one")
		is(e, "n", n, 5)
	})
}
