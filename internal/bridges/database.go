package bridges

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/connect"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/internal/endpoint"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9db"
)

const (
	// A server is asked this often whether it is there (GH-195).
	pingInterval = 15 * time.Second

	// The delays between attempts to connect (GH-109).
	firstDelay = time.Second
	lastDelay  = time.Minute

	// grace is how long work may go on with a server after the end of its
	// context. All must have ended within 5 seconds (GH-203).
	grace = 2 * time.Second
)

// A Database says which branch of which database a bridge works on.
type Database struct {
	Endpoint string // in one of the forms of ParseEndpoint
	Branch   string

	look   bool                // only look: make no repository
	onPing func(time.Duration) // is told how long each ping of a server took; may be nil
	ping   time.Duration       // how often a server is asked whether it is there; 0 means pingInterval
}

// String names both, for people.
func (d Database) String() string { return fmt.Sprintf("branch %s of %s", d.Branch, d.Endpoint) }

// ParseEndpoint checks an endpoint (GH-193) and returns it with what was left
// out:
//
//	tcp://HOST:PORT              a server; tcp://HOST has port 5640
//	tcp:HOST:PORT                the same, as it was written once
//	file://PATH, unix://PATH     a server at a Unix socket
//	git://PATH                   a Git repository, without a server
func ParseEndpoint(text string) (string, error) {
	if path, ok := strings.CutPrefix(text, "git://"); ok {
		if path == "" {
			return "", fmt.Errorf("endpoint %q: use git://PATH, such as git:///srv/state", text)
		}
		return text, nil
	}
	modern := text
	if rest, ok := strings.CutPrefix(text, "tcp:"); ok && !strings.HasPrefix(rest, "//") {
		modern = "tcp://" + rest
	}
	for _, scheme := range []string{"tcp://", "file://", "unix://"} {
		if !strings.HasPrefix(modern, scheme) {
			continue
		}
		a, err := endpoint.Parse(modern, endpoint.DefaultPort)
		if err != nil {
			return "", fmt.Errorf("endpoint %q: %w", text, err)
		}
		return a.String(), nil
	}
	return "", fmt.Errorf("endpoint %q: %w: use tcp://HOST:PORT, unix://PATH or git://PATH", text, endpoint.ErrInvalid)
}

// use lends the database to work, and closes it. Once ctx is done, a server that
// does not answer keeps work waiting for a short time only: then the connection
// is cut.
func (d Database) use(ctx context.Context, reconnect bool, log *slog.Logger, work func(*datakit.DB) error) error {
	db, err := d.open(ctx, reconnect, log)
	if err != nil {
		return err
	}
	if strings.HasPrefix(d.Endpoint, "git://") {
		return errors.Join(work(db), db.Close())
	}
	return lend(ctx, db, work)
}

// lend is use of a server's database that is open.
func lend(ctx context.Context, db *datakit.DB, work func(*datakit.DB) error) error {
	worked := make(chan struct{})
	var cutter sync.WaitGroup
	cutter.Go(func() {
		if pause(ctx.Done(), worked) && pause(time.After(grace), worked) {
			db.Close()
		}
	})
	err := work(db)
	close(worked)
	cutter.Wait()
	return errors.Join(err, db.Close())
}

// pause waits for one of two channels, and reports whether it is the first.
func pause[T, U any](first <-chan T, other <-chan U) bool {
	select {
	case <-first:
		return true
	case <-other:
		return false
	}
}

// open opens the database. A repository that does not exist is made, with its
// HEAD at the branch, and work trees are left alone (GH-194); if look is set,
// the database is an empty one in memory instead. A server need not be there if
// reconnect is set: what is asked of the database waits for it.
func (d Database) open(ctx context.Context, reconnect bool, log *slog.Logger) (*datakit.DB, error) {
	if path, ok := strings.CutPrefix(d.Endpoint, "git://"); ok {
		db, err := gitdb.Open(path, &gitdb.Options{Head: d.Branch, Log: log, MustExist: d.look})
		if d.look && errors.Is(err, datakit.NotExist) {
			return memdb.New(nil), nil
		}
		return db, err
	}
	opts := &connect.Options{Log: log, Server: p9db.Options{PingInterval: cmp.Or(d.ping, pingInterval), OnPing: d.onPing}}
	if reconnect {
		opts.Reconnect = &p9db.ReconnectOptions{MinDelay: firstDelay, MaxDelay: lastDelay}
	}
	return connect.Open(ctx, d.Endpoint, opts)
}
