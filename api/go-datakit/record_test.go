package datakit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	contract "github.com/datakit/datakit"
	datakit "github.com/datakit/datakit/api/go-datakit"
)

// record opens the record of the acceptance cases.
func (e *env) record() *datakit.Record { return e.recordOf(e.c) }

func (e *env) recordOf(c *datakit.Client) *datakit.Record {
	e.Helper()
	r, err := datakit.NewRecord(e.ctx, c, []string{"master", "defaults"}, "defaults", "state", []string{"tests"})
	e.check(err)
	e.Cleanup(func() { r.Close(context.Background()) })
	return r
}

// messages returns the messages of the commits of a branch, the newest first.
func (e *env) messages(branch string) (list []string) {
	e.Helper()
	h, err := e.db.Branch(branch).Head(e.ctx)
	for e.check(err); !h.IsZero(); {
		c, err := e.db.Commit(e.ctx, h)
		e.check(err)
		list = append(list, c.Message)
		if h = (contract.Hash{}); len(c.Parents) > 0 {
			h = c.Parents[0]
		}
	}
	return list
}

func TestCLT24_CLT25_CLT26_CLT27_Story(t *testing.T) {
	over(t, func(e *env) {
		for key, value := range map[string]string{"name": "hello", "ncpu": "1", "running": "true"} {
			e.put("master", value, "tests", key)
		}
		r := e.record()
		e.check(r.Wait(e.ctx))
		name, ncpu, running := r.StringField("name", "hello"), r.IntField("ncpu", 1), r.BoolField("running", true)
		s, nameV := name.Get()
		n, ncpuV := ncpu.Get()
		b, runningV := running.Get()
		if s != "hello" || n != 1 || !b {
			e.Errorf("Get = %q, %d, %v", s, n, b)
		}
		if name.HasChanged(nameV) || ncpu.HasChanged(ncpuV) || running.HasChanged(runningV) {
			e.Error("a field has changed since it was read")
		}

		e.put("master", "5", "tests", "ncpu")
		for !ncpu.HasChanged(ncpuV) {
			e.check(r.Wait(e.ctx))
		}
		if n, _ := ncpu.Get(); n != 5 || running.HasChanged(runningV) {
			e.Errorf("ncpu = %d", n)
		}

		e.put("master", "rubbish", "tests", "running")
		for !running.HasChanged(runningV) {
			e.check(r.Wait(e.ctx))
		}
		if b, _ := running.Get(); !b {
			e.Error("running is not its default")
		}

		e.check(r.Upgrade(e.ctx, 2))
		if n, _ := ncpu.Get(); n != 5 {
			e.Errorf("ncpu after Upgrade = %d", n)
		}
		e.has(e.head("defaults"), "2", "tests", "schema-version")
		e.has(e.head("state"), "5", "tests", "ncpu")
	})
}

func TestCLT28_CL90_Default(t *testing.T) {
	over(t, func(e *env) {
		r := e.record()
		e.check(r.Wait(e.ctx))
		f := r.StringField("a/key", "hello")
		e.has(e.head("defaults"), "hello", "tests", "a", "key")
		if m := e.messages("defaults"); m[0] != "fill-in default for [tests a key]" {
			e.Errorf("messages: %q", m)
		}
		e.check(r.Seal(e.ctx))
		if s, v := f.Get(); s != "hello" || v != datakit.InitialVersion {
			e.Errorf("Get = %q, %d", s, v)
		}
		gone := r.StringRefField("a/key", nil)
		e.check(r.Seal(e.ctx))
		if s, _ := gone.Get(); s != nil {
			e.Errorf("Get = %q", *s)
		}
		_, err := e.head("defaults").Read(e.ctx, []string{"tests", "a", "key"})
		e.wants("Read of a removed default", err, datakit.NotExist)
	})
}

func TestCL85_CL86_NewRecord(t *testing.T) {
	over(t, func(e *env) {
		for range 2 {
			e.check(e.record().Close(e.ctx))
		}
		for _, branch := range []string{"master", "state"} {
			if m := e.messages(branch); !slices.Equal(m, []string{"Creating branch"}) {
				e.Errorf("commits of %s: %q", branch, m)
			}
		}
		for _, tt := range []struct {
			lookup []string
			path   []string
		}{{nil, nil}, {[]string{"a..b"}, nil}, {[]string{"master"}, []string{"a/b"}}, {[]string{"master"}, []string{""}}} {
			_, err := datakit.NewRecord(e.ctx, e.c, tt.lookup, "defaults", "state", tt.path)
			e.wants(fmt.Sprintf("NewRecord of %q, %q", tt.lookup, tt.path), err, datakit.Invalid)
		}
	})
}

func TestCL84_CL96_CL97_Set(t *testing.T) {
	over(t, func(e *env) {
		r := e.record()
		a, b := r.StringField("a", ""), r.StringField("b", "")
		ref, n, on := r.StringRefField("dir/ref", nil), r.IntField("n", 0), r.BoolField("on", false)
		e.check(r.Seal(e.ctx))
		value := "value"
		for want, err := range map[string]error{
			"Unconditionally set [a]: why":       a.Set("why", "1"),
			"Unconditionally set [dir ref]: why": ref.Set("why", &value),
			"Unconditionally set [n]: why":       n.Set("why", 7),
			"Unconditionally set [on]: why":      on.Set("why", true),
			"both":                               r.SetMultiple("both", []*datakit.StringField{a, b}, []string{"3", "4"}),
		} {
			e.check(err)
			if m := e.messages("master"); !slices.Contains(m, want) {
				e.Errorf("messages: %q, want %q", m, want)
			}
		}
		err := r.SetMultiple("x", []*datakit.StringField{a}, []string{"5", "6"})
		if !errors.Is(err, datakit.Invalid) || !strings.Contains(err.Error(), "Length of fields and values is not equal") {
			e.Errorf("SetMultiple: %v", err)
		}
		if s, _ := a.Get(); s != "" {
			e.Errorf("a before Seal = %q", s)
		}
		e.check(r.Seal(e.ctx))
		as, _ := a.Get()
		bs, _ := b.Get()
		refs, _ := ref.Get()
		ns, _ := n.Get()
		ons, _ := on.Get()
		if as != "3" || bs != "4" || refs == nil || *refs != value || ns != 7 || !ons {
			e.Errorf("Get = %q, %q, %v, %d, %v", as, bs, refs, ns, ons)
		}
		e.check(ref.Set("", nil))
		e.check(r.Seal(e.ctx))
		if refs, _ := ref.Get(); refs != nil || !ref.HasChanged(datakit.InitialVersion-1) || a.HasChanged(1) {
			e.Error("Set to nil has no effect")
		}
	})
}

func TestCL102_CL104_CL116_Close(t *testing.T) {
	over(t, func(e *env) {
		before := e.server.Fids()
		r := e.record()
		f := r.IntField("n", 1)
		errs := make(chan error, 1)
		go func() {
			var err error
			for err == nil {
				err = r.Wait(e.ctx)
			}
			errs <- err
		}()
		e.check(f.Set("", 2))
		e.check(r.Close(e.ctx))
		e.wants("Wait ended by Close", <-errs, datakit.Closed)
		e.settles(before)

		r = e.record()
		e.check(r.Wait(e.ctx))
		e.c.Close(e.ctx)
		var err error
		for err == nil {
			err = r.Wait(e.ctx)
		}
		e.wants("Wait without a connection", err, datakit.Closed)
		e.wants("Set without a connection", f.Set("", 3), datakit.Closed)
	})
}

func TestCL117_FewFids(t *testing.T) {
	over(t, func(e *env) {
		opts := e.opts
		opts.MaxFids = 16
		r := e.recordOf(e.dial(opts))
		var fields []*datakit.StringField
		var values []string
		for i := range 100 {
			fields = append(fields, r.StringField(fmt.Sprintf("dir/key%d", i), ""))
			values = append(values, fmt.Sprint("value", i))
		}
		e.check(r.Seal(e.ctx))
		e.check(r.SetMultiple("all", fields, values))
		for s := ""; s != values[99]; s, _ = fields[99].Get() {
			e.check(r.Wait(e.ctx))
		}
		for i, f := range fields {
			if s, _ := f.Get(); s != values[i] {
				e.Errorf("field %d = %q", i, s)
			}
		}
		e.has(e.head("state"), "value42", "tests", "dir", "key42")
	})
}
