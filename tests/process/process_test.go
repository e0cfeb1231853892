// Package process runs the conformance suite at the real server, as a process of
// its own, over TCP and Unix sockets in each dialect of 9P, and kills it.
package process

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/dbtest"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/tests/daemon"
)

func TestMain(m *testing.M) {
	status := daemon.Main(m, daemon.Race)
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// all is whether every check runs. Each has a server of its own, so that usually
// only some do; they are others in each dialect. SOAK asks for all.
var all = os.Getenv("SOAK") != ""

// suite runs the conformance suite, each check at a new server with a new
// repository.
func suite(t *testing.T, opts p9db.Options, tcp, noSymlinks bool, some int) {
	if all {
		some = 0
	}
	dbtest.Config{
		Light:      true,
		NoSymlinks: noSymlinks,
		Some:       some,
		Open: func(tb testing.TB) *datakit.DB {
			d := daemon.Start(tb, filepath.Join(tb.TempDir(), "repo"), daemon.WithTCP())
			network, addr := "unix", d.Addr
			if tcp {
				network, addr = "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Port))
			}
			db, err := p9db.Dial(tb.Context(), network, addr, &opts)
			if err != nil {
				tb.Fatal(err)
			}
			return db
		},
	}.Run(t)
}

func TestCL1_CL2_LinuxOverTCP(t *testing.T) { suite(t, p9db.Options{}, true, false, 5) }

func TestCL1_CL2_UnixOverSocket(t *testing.T) {
	suite(t, p9db.Options{Version: "9P2000.u"}, false, false, 7)
}

func TestCL1_CL2_PlainOverTCP(t *testing.T) {
	suite(t, p9db.Options{Version: "9P2000"}, true, true, 8)
}
