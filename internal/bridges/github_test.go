package bridges

import (
	"io"
	"strings"
	"testing"

	"github.com/datakit/datakit/github/token"
	"github.com/datakit/datakit/internal/logs"
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
