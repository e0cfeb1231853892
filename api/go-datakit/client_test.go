package datakit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	contract "github.com/datakit/datakit"
	datakit "github.com/datakit/datakit/api/go-datakit"
	"github.com/datakit/datakit/p9"
)

// The names and signatures that programs use.
var (
	_ func(context.Context, string, string) (*datakit.Client, error)                                      = datakit.Dial
	_ func(context.Context, net.Conn) (*datakit.Client, error)                                            = datakit.NewClient
	_ func(*datakit.Client, context.Context)                                                              = (*datakit.Client).Close
	_ func(*datakit.Client, context.Context, ...string) error                                             = (*datakit.Client).Mkdir
	_ func(*datakit.Client, context.Context, ...string) error                                             = (*datakit.Client).Remove
	_ func(*datakit.Client, context.Context, ...string) (*datakit.File, error)                            = (*datakit.Client).Create
	_ func(*datakit.Client, context.Context, datakit.Flag, ...string) (*datakit.File, error)              = (*datakit.Client).Open
	_ func(*datakit.Client, context.Context, []string) ([]string, error)                                  = (*datakit.Client).List
	_ func(*datakit.File, context.Context)                                                                = (*datakit.File).Close
	_ func(*datakit.File, context.Context, []byte, int64) (int, error)                                    = (*datakit.File).Read
	_ func(*datakit.File, context.Context, []byte, int64) (int, error)                                    = (*datakit.File).Write
	_ func(*datakit.File, context.Context) *datakit.FileReader                                            = (*datakit.File).NewFileReader
	_ func(*datakit.File, context.Context, int64) io.Reader                                               = (*datakit.File).NewIOReader
	_ func(*datakit.File, context.Context, int64) io.Writer                                               = (*datakit.File).NewIOWriter
	_ func(context.Context, *datakit.Client, string) (*datakit.Transaction, error)                        = datakit.NewTransaction
	_ func(*datakit.Transaction, context.Context, []string, string) error                                 = (*datakit.Transaction).Write
	_ func(*datakit.Transaction, context.Context, []string) (string, error)                               = (*datakit.Transaction).Read
	_ func(*datakit.Transaction, context.Context, []string) error                                         = (*datakit.Transaction).Remove
	_ func(*datakit.Transaction, context.Context, string) error                                           = (*datakit.Transaction).Commit
	_ func(*datakit.Transaction, context.Context)                                                         = (*datakit.Transaction).Abort
	_ func(context.Context, *datakit.Client, string) (string, error)                                      = datakit.Head
	_ func(context.Context, *datakit.Client, datakit.SnapshotKind, string) *datakit.Snapshot              = datakit.NewSnapshot
	_ func(*datakit.Snapshot, context.Context, []string) (string, error)                                  = (*datakit.Snapshot).Read
	_ func(*datakit.Snapshot, context.Context, []string) ([]string, error)                                = (*datakit.Snapshot).List
	_ func(context.Context, *datakit.Client, string, []string) (*datakit.Watch, error)                    = datakit.NewWatch
	_ func(*datakit.Watch, context.Context) (*datakit.Snapshot, error)                                    = (*datakit.Watch).Next
	_ func(*datakit.Watch, context.Context)                                                               = (*datakit.Watch).Close
	_ func(context.Context, *datakit.Client, []string, string, string, []string) (*datakit.Record, error) = datakit.NewRecord
	_ func(*datakit.Record, string, []*datakit.StringField, []string) error                               = (*datakit.Record).SetMultiple
	_ func(*datakit.Record, string, *string) *datakit.StringRefField                                      = (*datakit.Record).StringRefField
	_ func(*datakit.Record, string, string) *datakit.StringField                                          = (*datakit.Record).StringField
	_ func(*datakit.Record, string, int) *datakit.IntField                                                = (*datakit.Record).IntField
	_ func(*datakit.Record, string, bool) *datakit.BoolField                                              = (*datakit.Record).BoolField
	_ func(*datakit.StringRefField, string, *string) error                                                = (*datakit.StringRefField).Set
	_ func(*datakit.StringField, string, string) error                                                    = (*datakit.StringField).Set
)

func TestCL60_Constants(t *testing.T) {
	t.Parallel()
	flags := []datakit.Flag{datakit.OREAD, datakit.OWRITE, datakit.ORDWR, datakit.OEXEC, datakit.OTRUNC, datakit.OCEXEC, datakit.ORCLOSE}
	if want := []datakit.Flag{0, 1, 2, 3, 16, 32, 64}; !slices.Equal(flags, want) {
		t.Errorf("flags = %v, want %v", flags, want)
	}
	if datakit.COMMIT != 1 || datakit.OBJECT != 2 || datakit.InitialVersion != 0 {
		t.Error("a constant has another value")
	}
}

func TestCL61_Kinds(t *testing.T) {
	over(t, func(e *env) {
		_, err := e.c.Open(e.ctx, datakit.OREAD, "branch", "none", "head")
		e.wants("Open of nothing", err, datakit.NotExist)
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "open branch/none/head") {
			e.Errorf("Open of nothing: %q", err)
		}
		t := e.begin("master")
		e.check(t.Write(e.ctx, []string{"dir", "file"}, ""))
		e.wants("Write of a directory", t.Write(e.ctx, []string{"dir"}, ""), datakit.IsDir)
		_, err = t.Read(e.ctx, []string{"dir"})
		e.wants("Read of a directory", err, datakit.IsDir)
		e.wants("Write of a malformed name", t.Write(e.ctx, []string{".git"}, ""), datakit.Invalid)
		_, err = datakit.NewTransaction(e.ctx, e.c, "a..b")
		e.wants("NewTransaction", err, datakit.Invalid)
	})
}

func TestCL62_Logger(t *testing.T) {
	over(t, func(e *env) {
		var b lockedBuffer
		opts := e.opts
		opts.Log = b.logger()
		c := e.dial(opts)
		e.put("defaults", "in the way", "tests", "dir")
		r, err := datakit.NewRecord(e.ctx, c, []string{"master", "defaults"}, "defaults", "state", []string{"tests"})
		e.check(err)
		defer r.Close(e.ctx)
		if b.String() != "" {
			e.Errorf("log: %q", b.String())
		}
		r.StringField("dir/key", "x")
		if !strings.Contains(b.String(), "default of dir/key") {
			e.Errorf("log: %q", b.String())
		}
	})
}

// A tap is a connection that remembers what is sent.
type tap struct {
	net.Conn
	lockedBuffer
}

func (t *tap) Write(p []byte) (int, error) {
	t.lockedBuffer.Write(p)
	return t.Conn.Write(p)
}

func TestCL1_CL64_Attach(t *testing.T) {
	over(t, func(e *env) {
		conn, err := net.Dial("tcp", e.addr)
		e.check(err)
		sent := &tap{Conn: conn}
		c, err := datakit.NewClientWith(e.ctx, sent, &e.opts)
		e.check(err)
		defer c.Close(e.ctx)
		if s := sent.String(); !strings.Contains(s, "\x06\x00anyone\x01\x00/") {
			e.Errorf("sent %q", s)
		}
	})
}

func TestCL64_NoServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	if _, err := datakit.Dial(t.Context(), "tcp", addr); !errors.Is(err, datakit.IO) || !strings.Contains(err.Error(), addr) {
		t.Errorf("Dial: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := datakit.Dial(ctx, "tcp", addr); err != context.Canceled {
		t.Errorf("Dial with a cancelled context: %v", err)
	}
}

func TestCL65_Close(t *testing.T) {
	over(t, func(e *env) {
		f, err := e.c.Open(e.ctx, datakit.OREAD, "branch")
		e.check(err)
		e.c.Close(e.ctx)
		e.c.Close(e.ctx)
		_, err = f.Read(e.ctx, make([]byte, 10), 0)
		e.wants("Read", err, datakit.IO)
		e.wants("Mkdir", e.c.Mkdir(e.ctx, "branch", "b"), datakit.IO)
		f.Close(e.ctx)
		e.settles(0)
	})
}

func TestCL66_Mkdir(t *testing.T) {
	over(t, func(e *env) {
		for range 2 {
			e.check(e.c.Mkdir(e.ctx, "branch", "master", "transactions", "t", "rw", "a", "b"))
		}
		e.check(e.c.Mkdir(e.ctx))
		f, err := e.c.Create(e.ctx, "branch", "master", "transactions", "t", "rw", "file")
		e.check(err)
		f.Close(e.ctx)
		for _, path := range [][]string{
			{"branch", "master", "transactions", "t", "rw", "file"},
			{"branch", "master", "transactions", "t", "rw", "file", "dir"},
			{"branch", "master", "head"},
		} {
			e.wants(fmt.Sprintf("Mkdir of %q", path), e.c.Mkdir(e.ctx, path...), datakit.NotDir)
		}
		if err := e.c.Mkdir(e.ctx, "snapshots", "x"); err == nil {
			e.Error("Mkdir in a directory that cannot have one succeeds")
		}
	})
}

func TestCLT20_CL67_Remove(t *testing.T) {
	over(t, func(e *env) {
		e.check(e.c.Remove(e.ctx, "branch", "master", "rm", "does-not-exist"))
		t := e.begin("master")
		e.check(t.Write(e.ctx, []string{"file"}, ""))
		e.check(t.Remove(e.ctx, []string{"file", "below"}))
		if err := e.c.Remove(e.ctx, "branch", "master", "head"); err == nil {
			e.Error("Remove of what cannot be removed succeeds")
		}
		if err := e.c.Remove(e.ctx); err == nil {
			e.Error("Remove of the root succeeds")
		}
	})
}

func TestCLT21_MkdirAndRemove(t *testing.T) {
	over(t, func(e *env) {
		rw := []string{"branch", "master", "transactions", "foo", "rw"}
		at := func(steps ...string) []string { return append(slices.Clone(rw), steps...) }
		e.check(e.c.Mkdir(e.ctx, rw[:4]...))
		e.check(e.c.Mkdir(e.ctx, at("a", "b", "c")...))
		e.check(e.c.Remove(e.ctx, at("a", "b", "c")...))
		e.check(e.c.Remove(e.ctx, at("a", "b")...))
		e.check(e.c.Remove(e.ctx, at("a")...))
		e.check(e.c.Mkdir(e.ctx, at("a", "b", "c")...))
	})
}

// inTransaction returns the steps to a file of a new transaction.
func (e *env) inTransaction(steps ...string) []string {
	e.Helper()
	dir := []string{"branch", "master", "transactions", "x", "rw"}
	e.check(e.c.Mkdir(e.ctx, dir...))
	return append(dir, steps...)
}

func TestCLT22_CL68_Create(t *testing.T) {
	over(t, func(e *env) {
		path := e.inTransaction("file")
		f, err := e.c.Create(e.ctx, path...)
		e.check(err)
		defer f.Close(e.ctx)
		n, err := f.Write(e.ctx, []byte("Hello world"), 0)
		if n != 11 || err != nil {
			e.Errorf("Write = %d, %v", n, err)
		}
		b := make([]byte, 512)
		if n, err := f.Read(e.ctx, b, 0); n != 11 || err != nil || string(b[:n]) != "Hello world" {
			e.Errorf("Read = %d %q, %v", n, b[:n], err)
		}
		again, err := e.c.Create(e.ctx, path...)
		e.check(err)
		defer again.Close(e.ctx)
		if n, err := again.Read(e.ctx, b, 0); n != 0 || err != io.EOF {
			e.Errorf("Read of an emptied file = %d, %v", n, err)
		}
		_, err = e.c.Create(e.ctx, e.inTransaction("none", "file")...)
		e.wants("Create in a directory that is missing", err, datakit.NotExist)
		_, err = e.c.Create(e.ctx, e.inTransaction()...)
		e.wants("Create of a directory", err, datakit.IsDir)
		_, err = e.c.Create(e.ctx)
		e.wants("Create of the root", err, datakit.IsDir)
	})
}

func TestCL69_CL70_ReadWrite(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"9P2000", "9P2000.L"} {
		e := newEnv(t, datakit.Options{Version: version, Msize: 1000})
		f, err := e.c.Create(e.ctx, e.inTransaction("file")...)
		e.check(err)
		data := bytes.Repeat([]byte("0123456789"), 500)
		n, err := f.Write(e.ctx, data, 0)
		if n < 900 || n >= 1000 || err != io.ErrShortWrite {
			e.Errorf("Write = %d, %v", n, err)
		}
		m, err := f.Read(e.ctx, make([]byte, 5000), 0)
		if m < 900 || m > n || err != nil {
			e.Errorf("Read = %d, %v", m, err)
		}
		if n, err := f.Read(e.ctx, make([]byte, 5000), int64(n)); n != 0 || err != io.EOF {
			e.Errorf("Read at the end = %d, %v", n, err)
		}
		if n, err := f.Write(e.ctx, nil, 0); n != 0 || err != nil {
			e.Errorf("Write of nothing = %d, %v", n, err)
		}
		for range 2 {
			f.Close(e.ctx)
			if n, err := f.Read(e.ctx, data, 0); n != 0 || err != io.EOF {
				e.Errorf("Read of a closed file = %d, %v", n, err)
			}
			if n, err := f.Write(e.ctx, data, 0); n != 0 || err != io.EOF {
				e.Errorf("Write of a closed file = %d, %v", n, err)
			}
			if n, err := f.NewIOWriter(e.ctx, 0).Write(data); n != 0 || err != io.EOF {
				e.Errorf("writer of a closed file = %d, %v", n, err)
			}
		}
	}
}

func TestCL71_ReadersAndWriters(t *testing.T) {
	over(t, func(e *env) {
		opts := e.opts
		opts.Msize = 5000
		c := e.dial(opts)
		e.check(c.Mkdir(e.ctx, "branch", "master", "transactions", "y"))
		f, err := c.Create(e.ctx, "branch", "master", "transactions", "y", "rw", "file")
		e.check(err)
		defer f.Close(e.ctx)
		data := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
		w := f.NewIOWriter(e.ctx, 100)
		for _, part := range [][]byte{data[:7], data[7:7], data[7:]} {
			if n, err := w.Write(part); n != len(part) || err != nil {
				e.Fatalf("Write = %d, %v", n, err)
			}
		}
		got, err := io.ReadAll(f.NewFileReader(e.ctx))
		if want := append(make([]byte, 100), data...); err != nil || !bytes.Equal(got, want) {
			e.Errorf("FileReader: %d bytes, %v, want %d", len(got), err, len(want))
		}
		r := f.NewIOReader(e.ctx, 100)
		got, err = io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) {
			e.Errorf("reader: %d bytes, %v, want %d", len(got), err, len(data))
		}
		if _, err := w.Write([]byte("more")); err != nil {
			e.Errorf("Write: %v", err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != "more" {
			e.Errorf("reader after the end: %q, %v", got, err)
		}
	})
}

func TestCL71_ReaderOfAStream(t *testing.T) {
	over(t, func(e *env) {
		e.check(e.c.Mkdir(e.ctx, "branch", "master"))
		f, err := e.c.Open(e.ctx, datakit.OREAD, "branch", "master", "head.live")
		e.check(err)
		defer f.Close(e.ctx)
		r := f.NewFileReader(e.ctx)
		if line, err := io.ReadAll(r); err != nil || string(line) != "\n" {
			e.Errorf("first line = %q, %v", line, err)
		}
		e.put("master", "x", "file")
		head, err := datakit.Head(e.ctx, e.c, "master")
		e.check(err)
		if line, err := io.ReadAll(r); err != nil || string(line) != head+"\n" {
			e.Errorf("second line = %q, %v, want %q", line, err, head)
		}
	})
}

func TestCL72_List(t *testing.T) {
	over(t, func(e *env) {
		const n = 3000
		var want []string
		e.check(e.db.Branch("master").Update(e.ctx, "many", func(tx *contract.Tx) error {
			for i := range n {
				name := fmt.Sprintf("a-file-with-a-long-name-%04d", i)
				want = append(want, name)
				if err := tx.WriteFile(e.ctx, contract.Path(name), nil); err != nil {
					return err
				}
			}
			return nil
		}))
		got, err := e.c.List(e.ctx, []string{"branch", "master", "ro"})
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			e.Errorf("List: %d names, %v", len(got), err)
		}
		_, err = e.c.List(e.ctx, []string{"branch", "master", "head"})
		e.wants("List of a file", err, datakit.NotDir)
		_, err = e.c.List(e.ctx, []string{"branch", "none"})
		e.wants("List of nothing", err, datakit.NotExist)
	})
}

func TestCL114_PathsAreNotTouched(t *testing.T) {
	over(t, func(e *env) {
		path := append(make([]string, 0, 20), "a", "b")
		spare := path[:cap(path)]
		e.put("master", "x", path...)
		s := e.head("master")
		e.has(s, "x", path...)
		_, err := s.List(e.ctx, path[:1])
		e.check(err)
		w, err := datakit.NewWatch(e.ctx, e.c, "master", path)
		e.check(err)
		w.Close(e.ctx)
		t1, t2 := e.begin("master"), e.begin("master")
		e.check(t1.Write(e.ctx, path, "1"))
		e.check(t2.Write(e.ctx, path, "2"))
		e.has(t1, "1", path...)
		r, err := datakit.NewRecord(e.ctx, e.c, []string{"master"}, "master", "state", path[:1])
		e.check(err)
		r.StringField("key", "")
		e.check(r.Close(e.ctx))
		for i, s := range spare[2:] {
			if s != "" {
				e.Errorf("the memory behind a path has %q at %d", s, i)
			}
		}
		if path[0] != "a" || path[1] != "b" {
			e.Errorf("the path became %q", path)
		}
	})
}

func TestCL5_CL112_SlowOperationDelaysNobody(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "x", "file")
		w, err := datakit.NewWatch(e.ctx, e.c, "master", nil)
		e.check(err)
		defer w.Close(e.ctx)
		_, err = w.Next(e.ctx)
		e.check(err)
		next := make(chan error, 1)
		go func() { _, err := w.Next(e.ctx); next <- err }()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				s := e.head("master")
				e.has(s, "x", "file")
				t, err := datakit.NewTransaction(e.ctx, e.c, fmt.Sprint("b", i))
				if err != nil {
					e.Errorf("NewTransaction: %v", err)
					return
				}
				t.Abort(e.ctx)
			})
		}
		wg.Wait()
		select {
		case err := <-next:
			e.Errorf("Next returned without news: %v", err)
		default:
		}
		e.put("master", "y", "file")
		e.check(<-next)
	})
}

func TestCL2_CL63_Proposal(t *testing.T) {
	t.Parallel()
	e := newEnv(t, datakit.Options{})
	conn, err := net.Dial("tcp", e.addr)
	e.check(err)
	sent := &tap{Conn: conn}
	c, err := datakit.NewClient(e.ctx, sent)
	e.check(err)
	defer c.Close(e.ctx)
	if s := sent.String(); !strings.Contains(s, p9.DotU.String()) {
		t.Errorf("sent %q", s)
	}
}
