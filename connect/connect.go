// Package connect opens databases by their addresses, in the form in which
// programs take them from their users:
//
//	tcp://HOST:PORT, tcp://HOST    a server; the port is 5640 if there is none
//	file://PATH, unix://PATH       a server, at a Unix socket
//	\\SERVER\pipe\NAME             a server, at a named pipe of Windows
//	hyperv-connect://VMID/SERVICE  a server, at a Hyper-V socket
//	git://PATH                     a Git repository on this machine; no server
//
// (Specification of the filesystem, section 7.2; of the client, CL-58.)
package connect

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/internal/endpoint"
	"github.com/datakit/datakit/p9db"
)

// Options say how a database is opened. The zero value, and nil, is the
// default.
type Options struct {
	Server p9db.Options  // of a server; its Redial is not used
	Git    gitdb.Options // of a repository; its WorkTree is always on (CL-56)

	// Reconnect makes the database of a server outlive its connection; see
	// p9db.Reconnecting. Then Open does not wait for a server. MinDelay,
	// MaxDelay and OnConnect are those of p9db.ReconnectOptions.
	Reconnect *p9db.ReconnectOptions

	Log *slog.Logger // for Server and Git if these have none
}

// gitScheme begins the address of a repository.
const gitScheme = "git://"

// Open opens the database at an address. The error is of kind datakit.Invalid
// if it has none of the forms, and of kind datakit.IO if there is no server. A
// repository that does not exist is made. Close the database.
func Open(ctx context.Context, addr string, opts *Options) (*datakit.DB, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Server.Log == nil {
		o.Server.Log = o.Log
	}
	if o.Git.Log == nil {
		o.Git.Log = o.Log
	}
	if path, ok := strings.CutPrefix(addr, gitScheme); ok {
		if path == "" {
			return nil, invalid(addr, errors.New("use git://PATH, such as git:///srv/state"))
		}
		o.Git.WorkTree = true
		return gitdb.Open(path, &o.Git)
	}
	at, err := endpoint.Parse(addr, endpoint.DefaultPort)
	if errors.Is(err, endpoint.ErrInvalid) {
		err = errForms
	}
	if err != nil {
		return nil, invalid(addr, err)
	}
	dial := func(ctx context.Context) (io.ReadWriteCloser, error) { return at.Dial(ctx) }
	if o.Reconnect != nil {
		r := *o.Reconnect
		r.Options = o.Server
		r.Redial = dial
		return p9db.Reconnecting(dial, &r), nil
	}
	conn, err := dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &datakit.Error{Op: "connect to", Subject: addr, Kind: datakit.IO, Err: cause(err)}
	}
	o.Server.Redial = dial
	db, err := p9db.New(ctx, conn, &o.Server)
	return db, named(err, addr)
}

// named returns err, with the address if it is one of a connection.
func named(err error, addr string) error {
	var e *datakit.Error
	if !errors.As(err, &e) || e.Op != "connect to" || e.Subject != "" {
		return err
	}
	return &datakit.Error{Op: e.Op, Subject: addr, Kind: e.Kind, Err: e.Err}
}

// errForms says which addresses there are.
var errForms = errors.New("this is no address: use tcp://HOST:PORT, unix://SOCKET or git://PATH")

// cause returns why a connection failed, without the address, which whoever
// asked for it knows.
func cause(err error) error {
	var op *net.OpError
	var call *os.SyscallError
	switch {
	case errors.As(err, &call):
		return call.Err
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

func invalid(addr string, err error) error {
	return &datakit.Error{Op: "connect to", Subject: addr, Kind: datakit.Invalid, Err: err}
}
