package p9db_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
)

// A countedConn counts what goes through a connection.
type countedConn struct {
	net.Conn
	bytes, writes atomic.Int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.bytes.Add(int64(n))
	c.writes.Add(1)
	return n, err
}

// counted opens the database of a server over a connection that is counted.
func counted(tb testing.TB, network, addr string) (*datakit.DB, *countedConn) {
	tb.Helper()
	return countedWith(tb, network, addr, nil)
}

func countedWith(tb testing.TB, network, addr string, opts *p9db.Options) (*datakit.DB, *countedConn) {
	tb.Helper()
	conn := &countedConn{Conn: must[net.Conn](tb)(net.Dial(network, addr))}
	db := must[*datakit.DB](tb)(p9db.New(tb.Context(), conn, opts))
	tb.Cleanup(func() { db.Close() })
	return db, conn
}

// mountOf returns a client of a server whose database is itself at a server, as
// a mount of a server is, with a transaction that has the given file, and the
// connection between the two servers.
func mountOf(tb testing.TB, content []byte) (c *p9.Client, between *countedConn) {
	tb.Helper()
	mem := memdb.New(nil)
	network, addr := serve(tb, mem)
	err := mem.Branch("master").Update(tb.Context(), "m", func(tx *datakit.Tx) error {
		return tx.WriteFile(tb.Context(), "f", content)
	})
	if err != nil {
		tb.Fatal(err)
	}
	middle, between := counted(tb, network, addr)
	network, addr = serve(tb, middle)
	c = must[*p9.Client](tb)(p9.Dial(tb.Context(), network, addr, nil))
	tb.Cleanup(func() { c.Close() })
	dir := walk(tb, c, "branch", "master", "transactions")
	defer dir.Release()
	if err := dir.Mkdir(tb.Context(), "t", 0o775); err != nil {
		tb.Fatal(err)
	}
	return c, between
}

func walk(tb testing.TB, c *p9.Client, names ...string) *p9.Fid {
	tb.Helper()
	return must[*p9.Fid](tb)(c.Root().Walk(tb.Context(), names...))
}

// readInPieces reads an open file from its start to its end.
func readInPieces(ctx context.Context, f *p9.Fid, piece int) ([]byte, error) {
	var all []byte
	p := make([]byte, piece)
	for {
		n, err := f.ReadAt(ctx, p, int64(len(all)))
		all = append(all, p[:n]...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// TestCL22_FileOfATransactionInPieces: what a mount of a server reads in pieces
// goes over the connection once, whether the file was changed in the open
// transaction or not.
func TestCL22_FileOfATransactionInPieces(t *testing.T) {
	t.Parallel()
	const size, piece = 20 << 20, 32 << 10
	content := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	c, between := mountOf(t, content)
	f := walk(t, c, "branch", "master", "transactions", "t", "rw", "f")
	defer f.Release()
	if err := f.Open(t.Context(), p9.ReadWrite); err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{"", "changed"} {
		if _, err := f.WriteAt(t.Context(), []byte(change), size/2); change != "" && err != nil {
			t.Fatal(err)
		}
		copy(content[size/2:], change)
		before := between.bytes.Load()
		got, err := readInPieces(t.Context(), f, piece)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes are read, error %v; want the %d of the file", len(got), err, size)
		}
		if moved := between.bytes.Load() - before; moved > size+size/50 {
			t.Errorf("reading %d bytes in pieces (changed: %t) takes %d bytes of the connection", size, change != "", moved)
		}
	}
}
