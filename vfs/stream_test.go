package vfs

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A testSource delivers what is sent to lines.
type testSource struct {
	lines  chan string
	done   chan struct{}
	once   sync.Once
	closed atomic.Int32
	err    error // what Next fails with, if not nil
}

func newTestSource() *testSource {
	return &testSource{lines: make(chan string, 10), done: make(chan struct{})}
}

func (s *testSource) Next(ctx context.Context) (string, error) {
	if s.err != nil {
		return "", s.err
	}
	select {
	case l := <-s.lines:
		return l, nil
	default:
	}
	select {
	case l := <-s.lines:
		return l, nil
	case <-s.done:
		return "", io.ErrClosedPipe
	case <-ctx.Done():
		return "", ErrInterrupted
	}
}

func (s *testSource) Close() error {
	s.closed.Add(1)
	s.once.Do(func() { close(s.done) })
	return nil
}

func openTestStream(t *testing.T) (File, *testSource) {
	t.Helper()
	src := newTestSource()
	n := &Stream{FileBase: fileBase("s"), MaxLine: 41, Source: func(context.Context) (Source, error) { return src, nil }}
	return mustOpen(t, n, OpenFlags{}), src
}

func TestFS74_FS75_StreamAnswers(t *testing.T) {
	t.Parallel()
	f, src := openTestStream(t)
	src.lines <- "hello\n"
	src.lines <- "x\n"
	readFails(t, f, 1, ErrSeek)
	readAt(t, f, 0, 4, "hell")
	readFails(t, f, 0, ErrSeek)
	readAt(t, f, 4, 4, "")
	readAt(t, f, 4, 0, "")
	readAt(t, f, 4, 4, "o\n")
	readAt(t, f, 6, 4, "")
	readAt(t, f, 6, 100, "x\n")
	readAt(t, f, 8, 100, "")
}

func TestFS76_StreamReadOfNothing(t *testing.T) {
	t.Parallel()
	f, src := openTestStream(t)
	readAt(t, f, 0, 0, "") // does not wait
	readAt(t, f, 99, 0, "")
	src.lines <- "a\n"
	readAt(t, f, 0, 9, "a\n")
	readAt(t, f, 2, 0, "") // does not take the empty answer's place
	readAt(t, f, 2, 9, "")
	src.lines <- "b\n"
	readAt(t, f, 2, 9, "b\n")
}

func TestFS77_StreamOneLinePerRead(t *testing.T) {
	t.Parallel()
	f, src := openTestStream(t)
	line := strings.Repeat("0", 40) + "\n"
	src.lines <- line
	src.lines <- line
	readAt(t, f, 0, 4096, line)
	readAt(t, f, 41, 4096, "")
	readAt(t, f, 41, 41, line)
	if got := f.(WaitingFile).MaxRead(); got != 41 {
		t.Errorf("MaxRead = %d, want 41", got)
	}
}

func TestFS82_StreamFlushLosesNothing(t *testing.T) {
	t.Parallel()
	f, src := openTestStream(t)
	ctx, cancel := context.WithCancel(t.Context())
	ctx, waits := waiting(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if n, err := f.ReadAt(ctx, make([]byte, 9), 0); n != 0 || !sameError(err, ErrInterrupted) {
			t.Errorf("flushed read = %d, %v", n, err)
		}
	}()
	soon(t, "the wait", waits)
	cancel()
	soon(t, "the end of the flushed read", done)
	src.lines <- "a\n"
	readAt(t, f, 0, 9, "a\n")
	readAt(t, f, 2, 9, "")

	// A line that arrives together with the flush is kept for the next read.
	src.lines <- "b\n"
	if n, err := f.ReadAt(ctx, make([]byte, 9), 2); n != 0 || !sameError(err, ErrInterrupted) {
		t.Errorf("read of a flushed request = %d, %v", n, err)
	}
	readAt(t, f, 2, 9, "b\n")
}

func TestFS82_FS83_StreamCloseEndsReads(t *testing.T) {
	t.Parallel()
	f, src := openTestStream(t)
	ctx, waits := waiting(t.Context())
	first, second := make(chan struct{}), make(chan struct{})
	read := func(ctx context.Context, done chan struct{}) {
		defer close(done)
		if n, err := f.ReadAt(ctx, make([]byte, 9), 0); n != 0 || !sameError(err, ErrInterrupted) {
			t.Errorf("read of a closed file = %d, %v", n, err)
		}
	}
	go read(ctx, first)
	soon(t, "the first wait", waits)
	ctx2, waits2 := waiting(t.Context())
	go read(ctx2, second) // waits for its turn
	soon(t, "the second wait", waits2)
	f.Close()
	soon(t, "the end of the first read", first)
	soon(t, "the end of the second read", second)
	if src.closed.Load() == 0 {
		t.Error("the source is not closed")
	}
}

func TestFS80_StreamOverflowIsFinal(t *testing.T) {
	t.Parallel()
	f, src := openTestStream(t)
	src.err = ErrOverflow
	readFails(t, f, 0, ErrOverflow)
	src.err = nil
	src.lines <- "a\n"
	readFails(t, f, 0, ErrOverflow)
}

func TestFS85_StreamWrite(t *testing.T) {
	t.Parallel()
	f, src := openTestStream(t)
	fails(t, f.WriteAt(t.Context(), []byte("x"), 1), ErrSeek)
	fails(t, f.WriteAt(t.Context(), []byte("x"), 0), ErrReadOnly)
	src.lines <- "a\n"
	readAt(t, f, 0, 9, "a\n")
	fails(t, f.WriteAt(t.Context(), []byte("x"), 0), ErrSeek)
	fails(t, f.WriteAt(t.Context(), []byte("x"), 2), ErrReadOnly)
}

func TestFS73_StreamsAreIndependent(t *testing.T) {
	t.Parallel()
	n := &Stream{FileBase: fileBase("s"), Source: func(context.Context) (Source, error) {
		src := newTestSource()
		src.lines <- "a\n"
		return src, nil
	}}
	f, g := mustOpen(t, n, OpenFlags{}), mustOpen(t, n, OpenFlags{})
	readAt(t, f, 0, 9, "a\n")
	readAt(t, f, 2, 9, "")
	readAt(t, g, 0, 9, "a\n")
	if size(t, n) != 0 {
		t.Errorf("size %d, want 0", size(t, n))
	}
}
