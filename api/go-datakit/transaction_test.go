package datakit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	contract "github.com/datakit/datakit"
	datakit "github.com/datakit/datakit/api/go-datakit"
)

func TestCLT23_Story(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "hello!", "snapshot", "test", "time")
		s := e.head("master")
		e.has(s, "hello!", "snapshot", "test", "time")
		if list, err := s.List(e.ctx, []string{"snapshot", "test"}); err != nil || !slices.Equal(list, []string{"time"}) {
			e.Errorf("List = %q, %v", list, err)
		}
	})
}

func TestCL73_Names(t *testing.T) {
	over(t, func(e *env) {
		e.begin("master")
		names, err := e.c.List(e.ctx, []string{"branch", "master", "transactions"})
		e.check(err)
		var n int
		if _, err := fmt.Sscan(names[0], &n); err != nil || len(names) != 1 {
			e.Fatalf("transactions: %q", names)
		}
		for i := range 200 { // others of the process take some of them
			e.check(e.c.Mkdir(e.ctx, "branch", "master", "transactions", fmt.Sprint(n+1+i)))
		}
		for range 3 {
			t := e.begin("master")
			e.check(t.Write(e.ctx, []string{"file"}, "x"))
			e.check(t.Commit(e.ctx, "x"))
		}
	})
}

func TestCL73_BranchNames(t *testing.T) {
	over(t, func(e *env) {
		for _, branch := range []string{"feature/x", "100%", "a%2Fb", "é"} {
			e.put(branch, branch, "file")
			e.has(e.head(branch), branch, "file")
			if h, err := e.db.Branch(branch).Head(e.ctx); err != nil || h.IsZero() {
				e.Errorf("head of %q = %v, %v", branch, h, err)
			}
		}
		for _, branch := range []string{"", "..", "a..b", "a b"} {
			if _, err := datakit.NewTransaction(e.ctx, e.c, branch); err == nil {
				e.Errorf("a transaction on branch %q", branch)
			}
		}
	})
}

func TestCL74_CL75_WriteAndRead(t *testing.T) {
	over(t, func(e *env) {
		t := e.begin("master")
		for _, value := range []string{"a long value", "short", "", strings.Repeat("0123456789", 30_000), "x"} {
			e.check(t.Write(e.ctx, []string{"a", "b", "file"}, value))
			e.has(t, value, "a", "b", "file")
		}
		_, err := t.Read(e.ctx, []string{"a", "none"})
		e.wants("Read of nothing", err, datakit.NotExist)
		e.wants("Write below a file", t.Write(e.ctx, []string{"a", "b", "file", "c", "d"}, ""), datakit.NotDir)
		e.wants("Write of the root", t.Write(e.ctx, nil, ""), datakit.Invalid)
		_, err = t.Read(e.ctx, nil)
		e.wants("Read of the root", err, datakit.Invalid)
		e.check(t.Commit(e.ctx, "values"))
		e.has(e.head("master"), "x", "a", "b", "file")
	})
}

func TestCL76_Remove(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "x", "dir", "file")
		t := e.begin("master")
		e.check(t.Remove(e.ctx, []string{"none"}))
		e.check(t.Remove(e.ctx, []string{"dir"}))
		e.check(t.Remove(e.ctx, []string{"dir", "file"}))
		e.wants("Remove of the root", t.Remove(e.ctx, nil), datakit.Invalid)
		e.check(t.Write(e.ctx, []string{"other"}, ""))
		e.check(t.Commit(e.ctx, "remove"))
		_, err := e.head("master").Read(e.ctx, []string{"dir", "file"})
		e.wants("Read of what was removed", err, datakit.NotExist)
		ctx, cancel := context.WithCancel(e.ctx)
		cancel()
		if err := e.begin("master").Remove(ctx, []string{"x"}); err != context.Canceled {
			e.Errorf("Remove with a cancelled context: %v", err)
		}
	})
}

func TestCL77_Commit(t *testing.T) {
	over(t, func(e *env) {
		ours, theirs := e.begin("master"), e.begin("master")
		e.check(theirs.Write(e.ctx, []string{"file"}, "theirs"))
		e.check(theirs.Commit(e.ctx, "A very long message\n\nwith a body"))
		h, err := e.db.Branch("master").Head(e.ctx)
		e.check(err)
		c, err := e.db.Commit(e.ctx, h)
		e.check(err)
		if c.Message != "A very long message\n\nwith a body" {
			e.Errorf("message = %q", c.Message)
		}
		e.check(ours.Write(e.ctx, []string{"file"}, "ours"))
		err = ours.Commit(e.ctx, "ours")
		e.wants("Commit", err, datakit.Conflict)
		e.has(ours, "ours", "file") // it is still open
		e.check(ours.Write(e.ctx, []string{"file"}, "theirs"))
		e.check(ours.Commit(e.ctx, "agreed"))
		e.wants("Commit again", ours.Commit(e.ctx, "again"), datakit.Closed)
		e.wants("Write after Commit", ours.Write(e.ctx, []string{"file"}, ""), datakit.Closed)
		e.wants("Remove after Commit", ours.Remove(e.ctx, []string{"file"}), datakit.Closed)
		_, err = ours.Read(e.ctx, []string{"file"})
		e.wants("Read after Commit", err, datakit.Closed)
	})
}

func TestCL78_Abort(t *testing.T) {
	over(t, func(e *env) {
		open := func() int {
			list, err := e.c.List(e.ctx, []string{"branch", "master", "transactions"})
			e.check(err)
			return len(list)
		}
		t := e.begin("master")
		e.check(t.Write(e.ctx, []string{"file"}, "x"))
		if n := open(); n != 1 {
			e.Fatalf("%d transactions are open", n)
		}
		ctx, cancel := context.WithCancel(e.ctx)
		cancel()
		t.Abort(ctx)
		if n := open(); n != 0 {
			e.Errorf("%d transactions are open after Abort", n)
		}
		t.Abort(e.ctx)
		e.wants("Write after Abort", t.Write(e.ctx, []string{"file"}, ""), datakit.Closed)
		if h, err := datakit.Head(e.ctx, e.c, "master"); h != "" || err != nil {
			e.Errorf("Head = %q, %v", h, err)
		}
		t = e.begin("master")
		e.check(t.Write(e.ctx, []string{"file"}, "x"))
		e.check(t.Commit(e.ctx, "x"))
		t.Abort(e.ctx)
		e.has(e.head("master"), "x", "file")
		t = e.begin("master")
		e.c.Close(e.ctx)
		t.Abort(e.ctx) // on a lost connection
	})
}

func TestCL79_Head(t *testing.T) {
	over(t, func(e *env) {
		_, err := datakit.Head(e.ctx, e.c, "none")
		e.wants("Head of no branch", err, datakit.NotExist)
		e.check(e.c.Mkdir(e.ctx, "branch", "empty"))
		if h, err := datakit.Head(e.ctx, e.c, "empty"); h != "" || err != nil {
			e.Errorf("Head of an empty branch = %q, %v", h, err)
		}
		e.put("master", "x", "file")
		want, err := e.db.Branch("master").Head(e.ctx)
		e.check(err)
		if h, err := datakit.Head(e.ctx, e.c, "master"); h != want.String() || err != nil {
			e.Errorf("Head = %q, %v, want %v", h, err, want)
		}
	})
}

func TestCL80_Snapshots(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "x", "dir", "file")
		tree, err := e.db.Branch("master").Tree(e.ctx)
		e.check(err)
		file, err := tree.Lookup(e.ctx, "dir/file")
		e.check(err)
		h, err := e.db.Branch("master").Head(e.ctx)
		e.check(err)
		c, err := e.db.Commit(e.ctx, h)
		e.check(err)
		commit := datakit.NewSnapshot(e.ctx, e.c, datakit.COMMIT, h.String())
		object := datakit.NewSnapshot(e.ctx, e.c, datakit.OBJECT, contract.TreeID{Mode: contract.Dir, Hash: c.TreeID}.String())
		for _, s := range []*datakit.Snapshot{commit, object} {
			e.has(s, "x", "dir", "file")
			if list, err := s.List(e.ctx, nil); err != nil || !slices.Equal(list, []string{"dir"}) {
				e.Errorf("List = %q, %v", list, err)
			}
			_, err := s.Read(e.ctx, []string{"none"})
			e.wants("Read of nothing", err, datakit.NotExist)
			_, err = s.List(e.ctx, []string{"none", "none"})
			e.wants("List of nothing", err, datakit.NotExist)
		}
		e.has(datakit.NewSnapshot(e.ctx, e.c, datakit.OBJECT, file.ID().String()), "x")
		for _, s := range []*datakit.Snapshot{
			datakit.NewSnapshot(e.ctx, e.c, datakit.COMMIT, strings.Repeat("0", 40)),
			datakit.NewSnapshot(e.ctx, e.c, datakit.OBJECT, "D-"+strings.Repeat("0", 40)),
			datakit.NewSnapshot(e.ctx, e.c, datakit.COMMIT, "hello"),
			datakit.NewSnapshot(e.ctx, e.c, datakit.OBJECT, "hello"),
			datakit.NewSnapshot(e.ctx, e.c, datakit.OBJECT, ""),
		} {
			_, err := s.Read(e.ctx, []string{"dir", "file"})
			e.wants("Read of a missing snapshot", err, datakit.NotExist)
			_, err = s.List(e.ctx, []string{"dir"})
			e.wants("List of a missing snapshot", err, datakit.NotExist)
		}
		_, err = datakit.NewSnapshot(e.ctx, e.c, 0, "x").Read(e.ctx, nil)
		e.wants("Read of an unknown kind", err, datakit.Invalid)
	})
}
