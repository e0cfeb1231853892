// Package kill kills a server at work, again and again, and looks at what is
// left each time.
package kill

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit/tests/daemon"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Without the race detector the server is faster, and can be killed at
	// more different moments.
	status := daemon.Main(m, false)
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

const (
	epochs = 10 // each with a new repository, so that looking at it stays cheap
	rounds = 20 // kills in each
)

var seed = flag.Uint64("seed", 0, "the seed of the moments of killing; 0 takes a new one")

// TestFS8_FS216_KilledWriters kills a server 200 times while four clients
// commit, and for the time in SOAK over and over. After each kill the
// repository is sound and has every commit that was acknowledged, and the next
// server finds nothing in its way.
func TestFS8_FS216_KilledWriters(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with -args -seed=%d", *seed)
	soak, _ := time.ParseDuration(os.Getenv("SOAK"))
	n := epochs
	if testing.Short() {
		n = 1
	}
	start := time.Now()
	for turn := 0; turn == 0 || time.Since(start) < soak; turn++ {
		t.Run(fmt.Sprint("turn", turn), func(t *testing.T) {
			for e := range n {
				t.Run(fmt.Sprint("epoch", e), func(t *testing.T) {
					t.Parallel()
					epoch(t, rand.New(rand.NewPCG(*seed, uint64(turn*n+e))))
				})
			}
		})
	}
}

// epoch runs the rounds on one repository.
func epoch(t *testing.T, rnd *rand.Rand) {
	dir, err := os.MkdirTemp("", "dk") // short: the path of a socket is limited
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w := newWorld(filepath.Join(dir, "repo"), filepath.Join(dir, "s"))
	for r := range rounds {
		moment := time.Duration(rnd.Int64N(int64(120 * time.Millisecond)))
		if err := w.round(t.Context(), r, moment); err != nil {
			t.Fatalf("round %d, killed after %v: %v", r, moment, err)
		}
	}
	if err := w.finish(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills, %d acknowledged commits", rounds, w.acks())
}
