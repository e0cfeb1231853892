//go:build linux || darwin

package fuse_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestFS40_NoMixtures reads a file of a branch while it is changed all the time:
// each read finds one content, whole.
func TestFS40_NoMixtures(t *testing.T) {
	t.Parallel()
	m := start(t)
	content := func(i int) []byte {
		return bytes.Repeat([]byte{'a' + byte(i%7)}, 1+(i%7)*3000)
	}
	m.tell("put b f %s", content(0))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			path := filepath.Join(m.dir, "branch/b/ro/f")
			for reads := 0; ; reads++ {
				select {
				case <-done:
					if reads == 0 {
						t.Error("nothing was read")
					}
					return
				default:
				}
				got, err := os.ReadFile(path)
				if err != nil {
					t.Error(err)
					return
				}
				if len(got) == 0 || !bytes.Equal(got, content(int(got[0]-'a'))) {
					t.Errorf("read %d bytes, %q to %q", len(got), got[:min(1, len(got))], got[max(0, len(got)-1):])
					return
				}
			}
		})
	}
	for i := range 300 {
		if answer := m.tell("put b f %s", content(i)); answer != "done" {
			t.Error(answer)
		}
	}
	close(done)
	readers.Wait()
	m.is("head -c 1 branch/b/ro/f", string(content(299)[:1]))
}
