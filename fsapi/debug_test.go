package fsapi_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/vfs"
)

// A testSource is a source of log messages.
type testSource struct {
	name, doc string
	mu        sync.Mutex
	level     string // guarded by mu
}

func (s *testSource) Name() string { return s.name }
func (s *testSource) Doc() string  { return s.doc }

func (s *testSource) Level() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.level
}

func (s *testSource) SetLevel(level string) error {
	if !slices.Contains([]string{"quiet", "app", "error", "warning", "info", "debug"}, level) {
		return errors.New("no such level")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.level = level
	return nil
}

func TestFS71_FS72_FST30_LogLevels(t *testing.T) {
	t.Parallel()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			sources := []fsapi.LogSource{
				&testSource{name: "server", doc: "the server", level: "quiet"},
				&testSource{name: "9p", doc: "the protocol", level: "info"},
			}
			c := newEnv(t, tr, newTestDB(), &fsapi.Options{Sources: sources}).connect()
			c.wantLs("debug", "src")
			c.wantLs("debug/src", "9p", "server")
			c.wantLs("debug/src/9p", "doc", "level")
			c.wantCat("debug/src/9p/doc", "the protocol\n")
			level := "debug/src/server/level"
			c.wantCat(level, "quiet\n")
			c.echo("info", level)
			c.wantCat(level, "info\n")
			c.connect().wantCat(level, "info\n") // for the whole server
			c.fails("no level", c.shellWrite(level, `"loud"`), vfs.Errorf(vfs.EINVAL, `"\"loud\"": unknown log level`))
			f := c.openFile(level, 0)
			defer f.clunk()
			c.must("write elsewhere", f.write(c.ctx, []byte("\terror "), 100))
			c.wantCat(level, "error\n")
			c.must("length", f.truncate(c.ctx, 100))
			c.wantCat(level, "error\n")
			c.fails("chmod", f.chmod(c.ctx, vfs.Mode{Perm: 0o644}), vfs.ErrPermission)
			c.fails("remove", c.removeError(level), vfs.ErrPermission)
			c.fails("other source", c.walkError("debug/src/other"), vfs.ErrNotExist)
		})
	}
}
