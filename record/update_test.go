package record_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/record"
)

func TestCL98_FieldsAreOfTheSameHeads(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		a, b := record.Int(r, "a", 0), record.Int(r, "b", 0)
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 30 {
				if err := r.Set(e.ctx, "both", a.To(i), b.To(i)); err != nil {
					e.Errorf("Set: %v", err)
				}
			}
		})
		for a.Value() != 29 {
			e.check(r.Wait(e.ctx))
			if a.Value() != b.Value() {
				e.Errorf("a = %d, b = %d", a.Value(), b.Value())
			}
		}
		wg.Wait()
	})
}

func TestCL98_AppearedAndVanished(t *testing.T) {
	over(t, func(e *env) {
		cfg := config()
		cfg.Defaults = ""
		r := e.open(cfg)
		f := record.Optional(r, "key", nil)
		e.check(r.Wait(e.ctx))
		_, v := f.Get()
		step := func(what string) {
			e.Helper()
			for !f.HasChanged(v) {
				e.check(r.Wait(e.ctx))
			}
			_, v = f.Get()
			if v != r.Version() {
				e.Errorf("%s: version %d, of the record %d", what, v, r.Version())
			}
		}
		e.put("master", "tests/key", "")
		step("appeared")
		e.put("master", "tests/key", "\n")
		step("other bytes of the same value")
		e.remove("master", "tests/key")
		step("vanished")
	})
}

func TestCL99_State(t *testing.T) {
	over(t, func(e *env) {
		e.put("state", "tests/opt", "stale", "other", "stays")
		r := e.open(config())
		a, b := record.String(r, "a", "x"), record.String(r, "dir/b", "y")
		record.Optional(r, "opt", nil)
		before := len(e.messages("state"))
		e.check(r.Seal(e.ctx))
		for range 2 {
			e.check(r.Seal(e.ctx))
		}
		if m := e.messages("state"); len(m) != before+1 || m[0] != "Updating state branch" {
			e.Errorf("commits of the state: %q", m)
		}
		e.has("state", "tests/a", "x")
		e.has("state", "tests/opt", absent)
		e.has("state", "other", "stays")
		e.check(r.Set(e.ctx, "", a.To("1"), b.To("2")))
		waitFor(e, r, b, "2")
		e.has("state", "tests/a", "1")
		e.has("state", "tests/dir/b", "2")
		if m := e.messages("state"); len(m) != before+2 {
			e.Errorf("commits of the state: %q", m)
		}
	})
}

func TestCL99_SomethingElseInTheState(t *testing.T) {
	over(t, func(e *env) {
		e.put("state", "tests", "a file")
		r := e.open(config())
		f := record.Int(r, "n", 1)
		e.put("master", "tests/n", "5")
		for _, err := range []error{r.Seal(e.ctx), r.Wait(e.ctx)} {
			if !errors.Is(err, datakit.NotDir) {
				e.Errorf("error %v, want kind %v", err, datakit.NotDir)
			}
		}
		is(e, "n", f, 5)
		e.remove("state", "tests")
		e.check(r.Seal(e.ctx)) // makes good what has failed
		e.has("state", "tests/n", "5")
	})
}

func TestCL99_CL101_WaitsForAChangeAfterAnError(t *testing.T) {
	over(t, func(e *env) {
		e.put("state", "tests/file", "")
		cfg := config()
		cfg.Lookup, cfg.Defaults = []string{"master"}, ""
		r := e.open(cfg)
		record.Optional(r, "file/x", nil) // which is absent as it should be
		record.String(r, "dir", "unset")
		n := record.Int(r, "n", 1)
		e.check(r.Wait(e.ctx))
		e.put("state", "tests/dir/key", "")
		e.put("master", "tests/dir", "a file", "tests/n", "5")
		if err := r.Wait(e.ctx); !misplaced(err) {
			e.Fatalf("Wait: %v, want an error for dir", err)
		}
		is(e, "n", n, 5)
		e.has("state", "tests/n", "5")
		before := len(e.messages("state"))
		waited := make(chan error, 1)
		go func() { waited <- r.Wait(e.ctx) }()
		select {
		case err := <-waited:
			e.Fatalf("a Wait without a change returned: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		e.remove("state", "tests/dir")
		e.put("master", "tests/n", "6")
		if err := <-waited; err != nil {
			e.Errorf("Wait after a change: %v", err)
		}
		e.has("state", "tests/dir", "a file")
		e.has("state", "tests/n", "6")
		if m := e.messages("state"); len(m) != before+2 {
			e.Errorf("commits of the state: %q", m)
		}
	})
}

func misplaced(err error) bool {
	return errors.Is(err, datakit.NotFile) || errors.Is(err, datakit.IsDir) || errors.Is(err, datakit.NotDir)
}

func TestRecordWithoutDefaultsAndState(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(record.Config{Lookup: []string{"master"}})
		f := record.Int(r, "n", 1)
		e.check(r.Wait(e.ctx))
		e.check(f.Set(e.ctx, "", 2))
		waitFor(e, r, f, 2)
		e.check(r.Upgrade(e.ctx, 2))
		branches, err := e.db.Branches(e.ctx)
		if err != nil || !slices.Equal(branches, []string{"master"}) {
			e.Errorf("Branches = %q, %v", branches, err)
		}
	})
}

func TestCL105_CL115_Concurrently(t *testing.T) {
	over(t, func(e *env) {
		r := e.open(config())
		var users, ticker sync.WaitGroup
		stop := make(chan struct{})
		ticker.Go(func() { // so that no Wait waits for what others have taken
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					e.put("master", "tests/tick", fmt.Sprint(i))
				}
			}
		})
		for g := range 4 {
			users.Go(func() {
				f := record.Int(r, "n"+strconv.Itoa(g), 0)
				for i := range 5 {
					for _, err := range []error{f.Set(e.ctx, "set", i), r.Seal(e.ctx), r.Wait(e.ctx), r.Upgrade(e.ctx, i)} {
						if err != nil {
							e.Errorf("goroutine %d, round %d: %v", g, i, err)
							return
						}
					}
					if f.Value() != i || f.HasChanged(r.Version()) {
						e.Errorf("n%d = %d, want %d", g, f.Value(), i)
					}
				}
			})
		}
		users.Wait()
		close(stop)
		ticker.Wait()
	})
}
