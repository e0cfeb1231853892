package bridges

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/bridge"
	"github.com/datakit/datakit/github/capability"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/github/hook"
	"github.com/datakit/datakit/github/token"
	"github.com/datakit/datakit/memdb"
)

// A stubborn database, once it hangs, answers nothing before it is closed, and
// does not care for contexts.
type stubborn struct {
	datakit.Driver
	hangs  context.Context // done once it does
	closed chan struct{}
	once   sync.Once
}

func (d *stubborn) wait() {
	if d.hangs.Err() != nil {
		<-d.closed
	}
}

func (d *stubborn) Head(ctx context.Context, branch string) (datakit.Hash, error) {
	d.wait()
	return d.Driver.Head(ctx, branch)
}

func (d *stubborn) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	d.wait()
	tx, err := d.Driver.Begin(ctx, branch)
	return stubbornTx{tx, d}, err
}

func (d *stubborn) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.Driver.Close()
}

type stubbornTx struct {
	datakit.TxDriver
	db *stubborn
}

func (tx stubbornTx) Abort() error {
	tx.db.wait()
	return tx.TxDriver.Abort()
}

// A piped listener has one connection.
type piped struct {
	conn chan net.Conn
	once sync.Once
}

func (l *piped) Accept() (net.Conn, error) {
	if c, ok := <-l.conn; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *piped) Close() error {
	l.once.Do(func() { close(l.conn) })
	return nil
}

func (l *piped) Addr() net.Addr { return &net.TCPAddr{} }

// TestGH203_StopTakesFiveSecondsAtMost has everything hang that a bridge may
// wait for when it is told to stop: GitHub, a delivery, and the database. The
// clock is a false one, so that it does not matter how fast the machine is.
func TestGH203_StopTakesFiveSecondsAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		repo := github.Repo{User: "test", Name: "test"}
		db := datakit.New(&stubborn{Driver: memdb.New(nil).Driver(), hangs: ctx, closed: make(chan struct{})})
		err := db.Branch("b").Update(ctx, "monitor", func(tx *datakit.Tx) error {
			if err := tx.MkdirAll(ctx, "test/test"); err != nil {
				return err
			}
			return tx.WriteFile(ctx, "test/test/.monitor", nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		world := githubtest.New(repo)
		world.Inject(githubtest.Fault{Op: github.OpListPRs, Hang: true})
		source, err := hook.New(hook.Options{URL: "http://x", Secret: token.NewSecret("secret")})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		ours, theirs := net.Pipe()
		defer theirs.Close()
		l := &piped{conn: make(chan net.Conn, 1)}
		l.conn <- ours

		ended := make(chan error, 1)
		go func() {
			s := services{{l, source.Serve}}
			ended <- s.during(ctx, func(ctx context.Context) error {
				return lend(ctx, db, func(db *datakit.DB) error {
					bridge.Repeat(ctx, bridge.Options{DB: db, Branch: "b", API: world, Source: source, Capabilities: capability.All()}, new(bridge.State))
					return nil
				})
			})
		}()
		synctest.Wait() // the sync waits for GitHub
		fmt.Fprintf(theirs, "POST /test/test HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"X-Hub-Signature-256: sha256=%s\r\nContent-Length: 9\r\n\r\n{", strings.Repeat("0", 64))
		synctest.Wait() // and the delivery for its end

		told := time.Now()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		took := time.Since(told)
		if took > 5*time.Second {
			t.Errorf("it took %v to stop", took)
		}
		if took < grace {
			t.Errorf("it took %v to stop: the database was not waited for", took)
		}
	})
}
