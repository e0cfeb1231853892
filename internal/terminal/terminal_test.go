package terminal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen returns an output that is a terminal of a width, and what it shows.
func screen(width int) (*Output, *bytes.Buffer) {
	var b bytes.Buffer
	o := New(&b)
	o.Width, o.Color = width, true
	return o, &b
}

func TestNoTerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	file, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, w := range []io.Writer{&b, file} {
		o := New(w)
		if o.Terminal() || o.Color {
			t.Errorf("%T is taken for a terminal", w)
		}
		if got := o.Paint(Red, "x") + o.Clean("\x1b[31m"); got != "x\x1b[31m" {
			t.Errorf("%T gets %q", w, got)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := &Table{Titles: []string{"NAME", "SIZE", "TEXT"}, Right: []int{1}, Colors: map[int]Color{0: Green}}
	table.Add("a", "7", "short")
	table.Add("längst", "1234", "a text that is too long for the screen")
	o, b := screen(30)
	if err := errors.Join(table.Print(o), o.Flush()); err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("\x1b[1m", "", "\x1b[32m", "", "\x1b[m", "").Replace(b.String())
	want := "NAME    SIZE  TEXT\na          7  short\nlängst  1234  a text that is …\n"
	if plain != want {
		t.Errorf("at a terminal:\n%s\nwant\n%s", plain, want)
	}
	if want := "\x1b[32mlängst\x1b[m  "; !strings.Contains(b.String(), want) {
		t.Errorf("%q has no %q", b, want)
	}
	b.Reset()
	o.Width = 0
	if err := errors.Join(table.Print(o), o.Flush()); err != nil {
		t.Fatal(err)
	}
	if want := "a\t7\tshort\nlängst\t1234\ta text that is too long for the screen\n"; b.String() != want {
		t.Errorf("elsewhere: %q, want %q", b, want)
	}
}

// TestClean: a name cannot tell the terminal what to do.
func TestClean(t *testing.T) {
	t.Parallel()
	o, _ := screen(80)
	if got := o.Clean("a\x1b]0;title\x07\tb\nc\u009b"); got != "a\ufffd]0;title\ufffd\tb\nc\ufffd" {
		t.Errorf("%q", got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, &os.PathError{Op: "write", Err: syscall.EPIPE} }

func TestNobodyReads(t *testing.T) {
	t.Parallel()
	o := New(broken{})
	o.WriteString("x")
	if err := o.Flush(); !errors.Is(err, ErrClosed) {
		t.Errorf("%v, want %v", err, ErrClosed)
	}
}

func TestOnOutput(t *testing.T) {
	t.Parallel()
	o, b := screen(80)
	before := -1
	o.OnOutput(func() { before = b.Len() })
	o.WriteString("x")
	if before != -1 {
		t.Error("told before anything is printed")
	}
	if err := o.Flush(); err != nil || before != 0 || b.String() != "x" {
		t.Errorf("told when %d bytes were printed, then %q, error %v", before, b, err)
	}
}

func TestProgressLine(t *testing.T) {
	t.Parallel()
	p := &Progress{label: "put"}
	for _, tt := range []struct {
		files, bytes int64
		want         string
	}{
		{0, 0, "put … 3s"},
		{1, 1023, "put … 3s, 1 files, 1023 bytes"},
		{1, 1025, "put … 3s, 2 files, 2.0 KiB"},
		{0, 5 << 40, "put … 3s, 2 files, 5.0 TiB"},
	} {
		p.Add(tt.files, tt.bytes)
		if got := p.line(3*time.Second + time.Millisecond); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	var none *Progress
	none.Add(1, 1)
	none.Stop()
	if p := StartProgress(new(bytes.Buffer), "x"); p != nil {
		t.Error("a progress on what is no terminal")
	}
}
