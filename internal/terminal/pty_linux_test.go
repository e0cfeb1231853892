package terminal

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what should take a second.
const patience = 30 * time.Second

// terminal returns both ends of a terminal of a width.
func terminal(t *testing.T, width uint16) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no terminals: ", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	fd := int(keyboard.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: 24}); err != nil {
		t.Fatal(err)
	}
	return keyboard, screen
}

func TestTerminal(t *testing.T) {
	_, screen := terminal(t, 132)
	for _, tt := range []struct {
		noColor, term string
		want          bool
	}{{"", "xterm", true}, {"1", "xterm", false}, {"", "dumb", false}} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.term)
		if o := New(screen); o.Width != 132 || o.Color != tt.want {
			t.Errorf("NO_COLOR=%s TERM=%s: width %d, color %v", tt.noColor, tt.term, o.Width, o.Color)
		}
	}
	_, unknown := terminal(t, 0)
	if got := Width(unknown); got != unknownWidth {
		t.Errorf("a terminal that does not tell has the width %d", got)
	}
}

// TestProgress: the line appears by itself, and is removed.
func TestProgress(t *testing.T) {
	t.Parallel()
	keyboard, screen := terminal(t, 80)
	p := StartProgress(screen, "put")
	p.Add(3, 0)
	if got := shown(t, keyboard); !strings.HasPrefix(got, "\rput … ") || !strings.Contains(got, ", 3 files") {
		t.Errorf("it shows %q", got)
	}
	p.Stop()
	p.Stop()
	if got := shown(t, keyboard); !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("in the end there is %q", got)
	}
}

// shown waits until something is printed, and returns that.
func shown(t *testing.T, keyboard *os.File) string {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(keyboard.Fd()), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if n != 1 || err != nil {
			t.Fatalf("nothing is printed, error %v", err)
		}
		buf := make([]byte, 200)
		if n, err = keyboard.Read(buf); err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
}
