package datakit_test

import (
	"context"
	"io"
	"slices"
	"testing"

	datakit "github.com/datakit/datakit/api/go-datakit"
	"github.com/datakit/datakit/vfs"
)

func (e *env) watch(branch string, path ...string) *datakit.Watch {
	e.Helper()
	w, err := datakit.NewWatch(e.ctx, e.c, branch, path)
	e.check(err)
	e.Cleanup(func() { w.Close(context.Background()) })
	return w
}

func (e *env) next(w *datakit.Watch) *datakit.Snapshot {
	e.Helper()
	s, err := w.Next(e.ctx)
	e.check(err)
	return s
}

func TestCL81_Watch(t *testing.T) {
	over(t, func(e *env) {
		w := e.watch("master", "dir")
		_, err := e.next(w).List(e.ctx, nil)
		e.wants("List before there is anything", err, datakit.NotExist)
		e.put("master", "x", "elsewhere")
		e.put("master", "1", "dir", "file")
		e.has(e.next(w), "1", "file")
		e.put("master", "2", "dir", "file")
		e.has(e.next(w), "2", "file")
		root := e.watch("master")
		if list, err := e.next(root).List(e.ctx, nil); err != nil || !slices.Equal(list, []string{"dir", "elsewhere"}) {
			e.Errorf("List = %q, %v", list, err)
		}
		file := e.watch("master", "dir", "file")
		e.has(e.next(file), "2")
		t := e.begin("master")
		e.check(t.Remove(e.ctx, []string{"dir"}))
		e.check(t.Commit(e.ctx, "remove"))
		for _, w := range []*datakit.Watch{w, file} {
			_, err := e.next(w).Read(e.ctx, nil)
			e.wants("Read of what was removed", err, datakit.NotExist)
		}
	})
}

func TestCL81_CancelledNextLosesNothing(t *testing.T) {
	over(t, func(e *env) {
		w := e.watch("master", "file")
		e.next(w)
		for range 20 {
			ctx, cancel := context.WithCancel(e.ctx)
			done := make(chan error, 1)
			go func() { _, err := w.Next(ctx); done <- err }()
			cancel()
			if err := <-done; err != context.Canceled {
				e.Fatalf("cancelled Next: %v", err)
			}
		}
		e.put("master", "x", "file")
		e.has(e.next(w), "x")
	})
}

func TestCL82_CL83_End(t *testing.T) {
	over(t, func(e *env) {
		before := e.server.Fids()
		w, lost := e.watch("master"), e.watch("master")
		ends := make(chan error, 2)
		for _, w := range []*datakit.Watch{w, lost} {
			e.next(w)
			go func() { _, err := w.Next(e.ctx); ends <- err }()
		}
		for range 2 {
			w.Close(e.ctx)
		}
		if err := <-ends; err != io.EOF {
			e.Errorf("Next ended by Close: %v", err)
		}
		if _, err := w.Next(e.ctx); err != io.EOF {
			e.Errorf("Next after Close: %v", err)
		}
		e.settles(before + 1)
		e.c.Close(e.ctx)
		if err := <-ends; err != io.EOF {
			e.Errorf("Next on a lost connection: %v", err)
		}
	})
}

// A pieces is a file whose reads return one piece after the other.
type pieces struct {
	vfs.FileBase
	list []string
}

func (p *pieces) Open(context.Context, vfs.OpenFlags) (vfs.File, error) {
	return &openPieces{list: p.list}, nil
}
func (p *pieces) Stat(context.Context) (vfs.Stat, error) { return vfs.Stat{Name: p.Name}, nil }

type openPieces struct{ list []string }

func (p *openPieces) ReadAt(_ context.Context, b []byte, _ uint64) (int, error) {
	if len(p.list) == 0 {
		return 0, nil
	}
	n := copy(b, p.list[0])
	p.list = p.list[1:]
	return n, nil
}

func (p *openPieces) WriteAt(context.Context, []byte, uint64) error { return vfs.ErrReadOnly }
func (p *openPieces) Close() error                                  { return nil }

// A step is a directory in which every name but one leads to itself.
type step struct {
	vfs.DirBase
	name string
	file vfs.Node
}

func (s *step) Lookup(_ context.Context, name string) (vfs.Node, error) {
	if name == s.name {
		return s.file, nil
	}
	return s, nil
}

func (s *step) Parent() vfs.Dir { return s }

func TestCL82_SplitAndSeveralLines(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"9P2000", "9P2000.L"} {
		root := &step{name: "tree.live"}
		root.file = &pieces{FileBase: vfs.FileBase{Base: vfs.Base{In: root, Name: root.name}}, list: []string{
			"F-0\n", "", "F-", "", "1", "\n", "", "F-2\nF-3\n", "", "F-4\nF-", "5\n", "", "\n", "", "",
		}}
		e := serve(t, datakit.Options{Version: version}, func() (vfs.Dir, func(), error) { return root, func() {}, nil })
		w := e.watch("master")
		for _, want := range []string{"F-0", "F-1", "F-3", "F-5", ""} {
			s, err := w.Next(e.ctx)
			if err != nil || *s != *datakit.NewSnapshot(e.ctx, e.c, datakit.OBJECT, want) {
				e.Errorf("Next = %+v, %v, want %q", s, err, want)
			}
		}
		if _, err := w.Next(e.ctx); err != io.EOF {
			e.Errorf("Next at the end: %v", err)
		}
	}
}
