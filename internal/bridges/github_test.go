package bridges

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/p9"
)

// noLogs returns a log that goes nowhere.
func noLogs(t *testing.T) *logs.Logs {
	t.Helper()
	l, err := logs.New(logs.Options{Level: logs.Quiet, Bridge: true, Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestGH199_WhereTokensAreMade: who uses GitHub Enterprise is sent there for a
// token, not to github.com.
func TestGH199_WhereTokensAreMade(t *testing.T) {
	t.Parallel()
	b := GitHub{
		APIURL: "https://git.example.com/api/v3",
		Token:  token.Search{Getenv: func(string) string { return "" }, Secrets: t.TempDir()},
		Logs:   noLogs(t),
	}
	_, err := b.client()
	if want := "make one at https://git.example.com/settings/tokens"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("without a token: %v, want %q in it", err, want)
	}
}

// TestGH191_OnceIsNotPatient: one sync does not wait for a server that goes away
// before the repositories are monitored. Its connection is never made again.
func TestGH191_OnceIsNotPatient(t *testing.T) {
	t.Parallel()
	path, conns := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b := GitHub{
		Database:     Database{Endpoint: "unix://" + path, Branch: "b"},
		Repositories: []github.Repo{{User: "test", Name: "test"}},
		Once:         true,
		Logs:         noLogs(t),
	}
	err := b.Database.use(ctx, false, discard, func(db *datakit.DB) error {
		next(t, conns).Close()
		return b.sync(ctx, db, nil, nil)
	})
	if !errors.Is(err, p9.ErrConnection) {
		t.Errorf("a sync whose connection is lost: %v", err)
	}
}
