package odb

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// generated is content of any size that is computed where it is read: numbers
// mixed up, or with period those of a part again and again.
type generated struct{ period int64 }

func (g generated) ReadAt(p []byte, off int64) (int, error) {
	for i := 0; i < len(p); {
		at := off + int64(i)
		n := uint64(at/8) % uint64(g.period)
		n *= 0x9e3779b97f4a7c15
		n ^= n >> 29
		n *= 0xbf58476d1ce4e5b9
		n ^= n >> 32
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], n)
		i += copy(p[i:], word[at%8:])
	}
	return len(p), nil
}

func (g generated) object(size int64) store.Object {
	sum := sha1.New()
	sum.Write(object.Header(object.BlobType, size))
	io.Copy(sum, io.NewSectionReader(g, 0, size))
	return store.Object{Hash: datakit.Hash(sum.Sum(nil)), Type: object.BlobType, Content: g, Size: size}
}

// largeTests is the environment variable that has TestFS212_Memory take a
// minute or two, for blobs of 1 GiB.
const largeTests = "DATAKIT_LARGE_TESTS"

// TestFS212_Memory writes a large blob of each kind, and has eight clients
// read it at once, in order and not.
func TestFS212_Memory(t *testing.T) {
	size, bound := int64(96<<20), int64(64<<20)
	if os.Getenv(largeTests) != "" {
		size, bound = 1<<30, 200<<20
	}
	if raceEnabled == 1 {
		t.Skip("the race detector takes memory of its own")
	}
	for _, kind := range []struct {
		name   string
		period int64
		random bool
	}{
		{"incompressible", 1 << 40, false},
		{"incompressible, anywhere", 1 << 40, true},
		{"compressible", 2000, false},
		{"compressible, anywhere", 2000, true},
	} {
		t.Run(kind.name, func(t *testing.T) {
			s := openStore(t, newRepo(t), &Options{NoSync: true, CacheBytes: 1 << 20, Level: 1})
			obj := generated{kind.period}.object(size)
			memory := watchMemory(t)
			put(t, s, obj)
			var wg sync.WaitGroup
			for client := range 8 {
				wg.Go(func() { readGenerated(t, s, obj, client, kind.random) })
			}
			wg.Wait()
			if most := memory(); most > bound {
				t.Errorf("%d MiB of memory are used, want at most %d", most>>20, bound>>20)
			} else {
				t.Logf("%d MiB of memory", most>>20)
			}
		})
	}
}

// readGenerated reads a blob in order, or pieces of it anywhere.
func readGenerated(t *testing.T, s *Store, obj store.Object, client int, random bool) {
	b, err := s.OpenBlob(obj.Hash)
	if err != nil {
		t.Error(err)
		return
	}
	defer b.Close()
	got, want := make([]byte, 128<<10), make([]byte, 128<<10)
	step := int64(len(got))
	for i := range obj.Size / step {
		off := i * step
		if random {
			if i == 64 {
				return
			}
			off = (i*7919 + int64(client)*104729) * step % obj.Size
		}
		n, err := b.ReadAt(context.Background(), got, off)
		if err != nil || n < len(got) {
			t.Errorf("ReadAt at %d: %d, %v", off, n, err)
			return
		}
		if i%16 != 0 {
			continue // the name is checked at the end
		}
		obj.Content.ReadAt(want, off)
		if string(got) != string(want) {
			t.Errorf("wrong bytes at %d", off)
			return
		}
	}
}

// watchMemory measures the memory of the process until the result is called,
// which returns the most that it was beyond that at the begin.
func watchMemory(t testing.TB) (most func() int64) {
	runtime.GC()
	begin := resident(t)
	stop, done := make(chan struct{}), make(chan struct{})
	var peak atomic.Int64
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				peak.Store(max(peak.Load(), resident(t)))
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-done
		return peak.Load() - begin
	}
}

// resident returns the size of the process in memory, or where the system
// does not tell, that of Go's heap.
func resident(t testing.TB) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Error(err)
	}
	return kb << 10
}
