package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/datakit/datakit"
)

// A full output has no room.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

// TestOutputIsFull: it is told once that what is printed has no room, also
// if that was noticed before the end.
func TestOutputIsFull(t *testing.T) {
	t.Parallel()
	db, addr := serveHooked(t, func(context.Context) {})
	err := db.Branch("master").Update(t.Context(), "m", func(tx *datakit.Tx) error {
		return errors.Join(tx.WriteFile(t.Context(), "small", []byte("x")), tx.WriteFile(t.Context(), "large", make([]byte, 1<<20)))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"small", "large"} {
		for _, cmd := range Commands(strings.NewReader(""), full{}, &bytes.Buffer{}) {
			if cmd.Name() != "cat" {
				continue
			}
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetArgs([]string{"--addr", addr, "master:" + file})
			err := cmd.ExecuteContext(t.Context())
			if !errors.Is(err, syscall.ENOSPC) || strings.Count(err.Error(), "no space left") != 1 {
				t.Errorf("cat %s: error %q", file, err)
			}
		}
	}
}
