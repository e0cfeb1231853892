package record_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/record"
)

func TestCLT24_CLT25_CLT26_CLT27_Story(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "tests/name", "hello", "tests/ncpu", "1", "tests/running", "true")
		r := e.open(config())
		e.check(r.Wait(e.ctx))
		name, ncpu, running := record.String(r, "name", "hello"), record.Int(r, "ncpu", 1), record.Bool(r, "running", true)
		_, nameV := name.Get()
		_, ncpuV := ncpu.Get()
		_, runningV := running.Get()
		is(e, "name", name, "hello")
		is(e, "ncpu", ncpu, 1)
		is(e, "running", running, true)
		if name.HasChanged(nameV) || ncpu.HasChanged(ncpuV) || running.HasChanged(runningV) {
			e.Error("a field has changed since it was read")
		}

		e.put("master", "tests/ncpu", "5")
		waitFor(e, r, ncpu, 5)
		if !ncpu.HasChanged(ncpuV) || running.HasChanged(runningV) {
			e.Error("HasChanged is wrong after a change of ncpu")
		}

		e.put("master", "tests/running", "rubbish")
		for !running.HasChanged(runningV) {
			e.check(r.Wait(e.ctx))
		}
		is(e, "running", running, true)
		if err := running.Err(); !errors.Is(err, datakit.Invalid) || !strings.Contains(err.Error(), "rubbish") {
			e.Errorf("Err = %v", err)
		}

		e.check(r.Upgrade(e.ctx, 2))
		is(e, "ncpu", ncpu, 5)
		e.has("defaults", "tests/schema-version", "2")
	})
}

func TestCLT28_Default(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		e.check(r.Wait(e.ctx))
		f := record.String(r, "key", "hello")
		e.check(r.Seal(e.ctx))
		e.has("defaults", "tests/key", "hello")
		is(e, "key", f, "hello")
	})
}

func TestCL85_Branches(t *testing.T) {
	over(t, func(e *env) {
		e.put("defaults", "x", "")
		cfg := config()
		cfg.Lookup = []string{"master", "more/branches", "defaults"}
		for range 2 {
			r := e.open(cfg)
			e.check(r.Close())
		}
		for branch, want := range map[string][]string{
			"master":        {"Creating branch"},
			"more/branches": {"Creating branch"},
			"state":         {"Creating branch"},
			"defaults":      {"fill-in default for [tests schema-version]", "put"},
		} {
			if got := e.messages(branch); !slices.Equal(got, want) {
				e.Errorf("commits of %s: %q, want %q", branch, got, want)
			}
		}
		e.has("master", "branch-created", "")
	})
}

func TestCL86_OpenFails(t *testing.T) {
	inMemory(t, func(e *env) {
		for _, cfg := range []record.Config{
			{},
			{Lookup: []string{"a..b"}},
			{Lookup: []string{"master"}, State: "a b"},
			{Lookup: []string{"master"}, Defaults: "a b"},
			{Lookup: []string{"master"}, Path: "a//b"},
		} {
			if _, err := record.Open(e.ctx, e.db, cfg); !errors.Is(err, datakit.Invalid) {
				e.Errorf("Open(%+v): %v, want kind %v", cfg, err, datakit.Invalid)
			}
		}
		ctx, cancel := context.WithCancel(e.ctx)
		cancel()
		if _, err := record.Open(ctx, e.db, config()); err != context.Canceled {
			e.Errorf("Open with a cancelled context: %v", err)
		}
		e.check(e.db.Close())
		if _, err := record.Open(e.ctx, e.db, config()); err == nil {
			e.Error("Open of a closed database succeeds")
		}
	})
}

func TestCL87_SchemaVersionStays(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		e.has("defaults", "tests/schema-version", "1")
		e.check(r.Upgrade(e.ctx, 7))
		e.check(r.Close())
		r = e.open(config())
		e.has("defaults", "tests/schema-version", "7")
		before := e.messages("defaults")
		e.check(r.Upgrade(e.ctx, 7))
		if after := e.messages("defaults"); !slices.Equal(after, before) {
			e.Errorf("the upgrade was made again: %q", after)
		}
	})
}

func TestCL88_CL95_Versions(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		f, other := record.Int(r, "n", 0), record.Int(r, "other", 0)
		e.check(r.Seal(e.ctx))
		if v := r.Version(); v != record.InitialVersion {
			e.Errorf("Version after Seal = %d", v)
		}
		for i := range 3 {
			e.put("master", "tests/n", string(rune('1'+i)))
			before := r.Version()
			waitFor(e, r, f, i+1)
			if _, v := f.Get(); v <= before || v > r.Version() {
				e.Errorf("version of the field = %d, of the record %d, and before %d", v, r.Version(), before)
			}
		}
		if _, v := other.Get(); v != record.InitialVersion || other.HasChanged(v) {
			e.Errorf("version of a field that has not changed = %d", v)
		}
	})
}

func TestCL101_FirstWaitReturns(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		e.check(r.Seal(e.ctx))
		e.check(r.Wait(e.ctx))
		if v := r.Version(); v != 1 {
			e.Errorf("Version after the first Wait = %d", v)
		}
	})
}

func TestCL99_CL101_IdleRecordDoesNothing(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		f := record.String(r, "name", "x")
		waitFor(e, r, f, "x")
		settle(e, r)
		before := e.messages("state")
		ctx, cancel := context.WithCancel(e.ctx)
		errs := make(chan error, 1)
		returns := 0
		go func() {
			err := r.Wait(ctx)
			for ; err == nil; err = r.Wait(ctx) {
				returns++
			}
			errs <- err
		}()
		for i := range 20 {
			e.put("master", "elsewhere", fmt.Sprint(i)) // is no event
			e.put("unrelated", "tests/name", fmt.Sprint(i))
		}
		cancel()
		if err := <-errs; err != context.Canceled {
			e.Errorf("Wait with nothing to wait for: %v", err)
		}
		if returns > 4 { // each for a change that was made before, and noticed late
			e.Errorf("Wait with nothing to wait for returned %d times", returns)
		}
		if after := e.messages("state"); !slices.Equal(after, before) {
			e.Errorf("commits of the state: %q, before %q", after, before)
		}
	})
}

// settle waits until all changes so far are reflected.
func settle(e *env, r *record.Record) {
	e.Helper()
	f := record.String(r, "settled", "")
	e.check(r.Seal(e.ctx))
	e.put("master", "tests/settled", "yes")
	waitFor(e, r, f, "yes")
}

func TestCL102_WaitEndsWithContextAndWatch(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		e.check(r.Wait(e.ctx))
		settle(e, r)
		ctx, cancel := context.WithCancel(e.ctx)
		cancel()
		if err := r.Wait(ctx); err != context.Canceled {
			e.Errorf("Wait with a cancelled context: %v", err)
		}
		errs := make(chan error, 1)
		go func() {
			var err error
			for err == nil {
				err = r.Wait(e.ctx)
			}
			errs <- err
		}()
		e.check(e.db.Close())
		if err := <-errs; !errors.Is(err, datakit.Closed) {
			e.Errorf("Wait when the database is closed: %v, want kind %v", err, datakit.Closed)
		}
	})
}

func TestCL104_CL116_Close(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		f := record.Int(r, "n", 1)
		e.check(r.Wait(e.ctx))
		errs := make(chan error, 1)
		go func() {
			var err error
			for err == nil {
				err = r.Wait(e.ctx)
			}
			errs <- err
		}()
		e.check(r.Close())
		e.check(r.Close())
		if err := <-errs; !errors.Is(err, datakit.Closed) {
			e.Errorf("Wait ended by Close: %v, want kind %v", err, datakit.Closed)
		}
		for name, err := range map[string]error{
			"Wait":          r.Wait(e.ctx),
			"Seal":          r.Seal(e.ctx),
			"Upgrade":       r.Upgrade(e.ctx, 5),
			"Set":           f.Set(e.ctx, "", 2),
			"WriteDefaults": r.WriteDefaults(e.ctx),
		} {
			if !errors.Is(err, datakit.Closed) {
				e.Errorf("%s after Close: %v, want kind %v", name, err, datakit.Closed)
			}
		}
		is(e, "n", f, 1)
		goneFromDatabase(e)
	})
}

// goneFromDatabase shows that closing a record leaves the database usable.
func goneFromDatabase(e *env) {
	e.Helper()
	e.put("master", "tests/n", "9")
	r := e.open(config())
	waitFor(e, r, record.Int(r, "n", 1), 9)
}
