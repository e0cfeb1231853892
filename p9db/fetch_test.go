package p9db_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9db"
)

// A failing database cannot fetch.
type failing struct{ datakit.Driver }

func (failing) Fetch(_ context.Context, url, _ string) (datakit.Hash, error) {
	return datakit.Hash{}, &datakit.Error{Kind: datakit.IO, Err: errors.New("no answer from " + url + "\nat all")}
}

// TestCL14_ReasonOfFetch has a fetch fail at a server: the client tells why, in
// all dialects, without passwords.
func TestCL14_ReasonOfFetch(t *testing.T) {
	t.Parallel()
	network, addr := serve(t, datakit.New(failing{memdb.New(nil).Driver()}))
	conn := must[net.Conn](t)(net.Dial(network, addr))
	dbs := map[string]*datakit.DB{
		"9P2000.L":         must[*datakit.DB](t)(p9db.Dial(t.Context(), network, addr, nil)),
		"9P2000.u":         must[*datakit.DB](t)(p9db.Dial(t.Context(), network, addr, &p9db.Options{Version: "9P2000.u"})),
		"9P2000":           must[*datakit.DB](t)(p9db.Dial(t.Context(), network, addr, &p9db.Options{Version: "9P2000"})),
		"no more than one": must[*datakit.DB](t)(p9db.New(t.Context(), conn, nil)),
	}
	for name, db := range dbs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer db.Close()
			_, err := db.Fetch(t.Context(), "https://user:secret@host/repo", "master")
			if !errors.Is(err, datakit.IO) {
				t.Fatalf("error %v, want one of kind %v", err, datakit.IO)
			}
			cause := err.(*datakit.Error).Err.Error()
			if strings.Contains(cause, "secret") {
				t.Errorf("the cause has the password: %s", cause)
			}
			if name != "no more than one" && cause != "9p error: no answer from https://user:xxxxx@host/repo at all" {
				t.Errorf("the cause is %q", cause)
			}
		})
	}
}
