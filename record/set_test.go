package record_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/record"
)

func TestCL96_Set(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "tests/link", "")
		r := e.open(config())
		s, o := record.String(r, "a/b", "d"), record.Optional(r, "opt", nil)
		e.check(r.Seal(e.ctx))
		e.check(s.Set(e.ctx, "because", "new\n"))
		is(e, "a/b before Wait", s, "d")
		e.has("master", "tests/a/b", "new\n")
		if got, want := e.messages("master")[0], "Unconditionally set [a b]: because"; got != want {
			e.Errorf("message = %q, want %q", got, want)
		}
		waitFor(e, r, s, "new\n")
		v := "x"
		e.check(o.Set(e.ctx, "", &v))
		e.has("master", "tests/opt", "x")
		for range 2 {
			e.check(o.Set(e.ctx, "", nil))
			e.has("master", "tests/opt", absent)
		}
		e.check(r.Set(e.ctx, "", s.Unset()))
		waitFor(e, r, s, "d")
	})
}

func TestCL97_SetSeveralTypes(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		name, cpus, on := record.String(r, "name", ""), record.Int(r, "ncpu", 1), record.Bool(r, "on", false)
		idle, addr := record.Duration(r, "idle", 0), record.Text(r, "addr", netip.IPv4Unspecified())
		e.check(r.Seal(e.ctx))
		before := len(e.messages("master"))
		e.check(r.Set(e.ctx, "all at once", name.To("n"), cpus.To(8), on.To(true), idle.To(time.Minute), addr.To(netip.MustParseAddr("10.0.0.1"))))
		if m := e.messages("master"); len(m) != before+1 || m[0] != "all at once" {
			e.Errorf("commits: %q, before %d", m, before)
		}
		e.check(r.Seal(e.ctx))
		is(e, "name", name, "n")
		is(e, "ncpu", cpus, 8)
		is(e, "on", on, true)
		is(e, "idle", idle, time.Minute)
		is(e, "addr", addr, netip.MustParseAddr("10.0.0.1"))
	})
}

func TestCL97_NothingIsWrittenOnFailure(t *testing.T) {
	inMemory(t, func(e *env) {
		r, other := e.open(config()), e.open(config())
		n, date := record.Int(r, "n", 1), record.Text(r, "date", time.Unix(0, 0).UTC())
		file, below := record.String(r, "file", ""), record.String(r, "file/below", "")
		before := len(e.messages("master"))
		unwritable := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) // RFC 3339 has four digits
		for name, tt := range map[string]struct {
			err  error
			kind datakit.Kind
		}{
			"no text":        {r.Set(e.ctx, "", n.To(2), date.To(unwritable)), datakit.Invalid},
			"another record": {r.Set(e.ctx, "", n.To(2), record.Int(other, "n", 1).To(3)), datakit.Invalid},
			"in the way":     {r.Set(e.ctx, "", n.To(2), file.To("x"), below.To("y")), datakit.NotDir},
			"zero Setting":   {r.Set(e.ctx, "", record.Setting{}), datakit.Invalid},
		} {
			if !errors.Is(tt.err, tt.kind) {
				e.Errorf("%s: %v, want kind %v", name, tt.err, tt.kind)
			}
		}
		e.check(r.Set(e.ctx, "nothing"))
		if after := len(e.messages("master")); after != before {
			e.Errorf("%d commits were made", after-before)
		}
	})
}

func TestCL103_Upgrade(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		n := record.Int(r, "n", 1)
		record.String(r, "s", "old")
		e.check(n.Set(e.ctx, "by the user", 5))
		e.check(r.Seal(e.ctx))
		e.check(r.Close())

		r = e.open(config())
		n = record.Int(r, "n", 2)
		s := record.String(r, "s", "new")
		gone := record.Optional(r, "gone", nil)
		e.put("defaults", "tests/gone", "x")
		before := r.Version()
		e.check(r.Upgrade(e.ctx, 3))
		if r.Version() != before+1 || !s.HasChanged(record.InitialVersion-1) {
			e.Errorf("Version = %d, before %d", r.Version(), before)
		}
		is(e, "n", n, 5)
		is(e, "s", s, "new")
		if gone.Value() != nil {
			e.Errorf("gone = %q", *gone.Value())
		}
		e.has("defaults", "tests/n", "2")
		e.has("defaults", "tests/schema-version", "3")
		e.has("state", "tests/schema-version", "3")
		if got := e.messages("defaults")[0]; got != "Upgrade to schema version 3" {
			e.Errorf("message = %q", got)
		}
		commits := len(e.messages("defaults"))
		for _, n := range []int{3, 2, -1} {
			e.check(r.Upgrade(e.ctx, n))
		}
		if got := len(e.messages("defaults")); got != commits {
			e.Errorf("%d commits by upgrades to versions of old", got-commits)
		}
		e.check(r.Upgrade(e.ctx, 4)) // with all defaults there
	})
}
