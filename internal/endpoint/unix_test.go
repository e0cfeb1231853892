//go:build !windows

package endpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// tempSocket returns the path of a socket to be: t.TempDir can be too long for
// one.
func tempSocket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func TestFS184_SocketIsMadeAndRemoved(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	l := mustListen(t, "file://"+path)[0]
	exchange(t, l, func() (net.Conn, error) { return mustParse(t, "unix://"+path).Dial(t.Context()) })
	if err := l.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close the socket is there: %v", err)
	}
}

func TestFS184_StaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	mustListen(t, "file://"+path)
}

func TestFS184_SocketInUseIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	l := mustListen(t, "file://"+path)[0]
	_, err := mustParse(t, "file://"+path).Listen(t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "address already in use") {
		t.Fatalf("second Listen = %v, want address already in use", err)
	}
	(<-accepted(l)).Close() // the probe
	exchange(t, l, func() (net.Conn, error) { return net.Dial("unix", path) })
}

func accepted(l net.Listener) <-chan net.Conn {
	c := make(chan net.Conn, 1)
	if conn, err := l.Accept(); err == nil {
		c <- conn
	}
	return c
}

func TestFS184_OtherFilesAreLeftAlone(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	for _, make := range []func() error{
		func() error { return os.WriteFile(path, []byte("precious"), 0o600) },
		func() error { return os.Mkdir(path, 0o700) },
		func() error { return os.Symlink("nowhere", path) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		before, _ := os.Lstat(path)
		if _, err := mustParse(t, "file://"+path).Listen(t.Context()); err == nil {
			t.Errorf("%s was listened on", before.Mode())
		}
		if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s is gone: %v", before.Mode(), err)
		}
		os.Remove(path)
	}
}

func TestFS184_CloseLeavesTheSocketOfASuccessorAlone(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	l := mustListen(t, "file://"+path)[0]
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	successor := mustListen(t, "file://"+path)[0]
	l.Close()
	exchange(t, successor, func() (net.Conn, error) { return net.Dial("unix", path) })
}

// TestFS184_OneOfManyServersWins starts servers at the same time over a stale
// socket: one must get the address, and keep it.
func TestFS184_OneOfManyServersWins(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()

	var mu sync.Mutex // guards won
	var won []net.Listener
	var wg sync.WaitGroup
	for range 8 {
		a := mustParse(t, "file://"+path)
		wg.Go(func() {
			if ls, err := a.Listen(t.Context()); err == nil {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, ls...)
			}
		})
	}
	wg.Wait()
	defer closeAll(won)
	if len(won) != 1 {
		t.Fatalf("%d servers listen, want 1", len(won))
	}
}

func TestFS182_PathsAreTakenLiterally(t *testing.T) {
	t.Chdir(filepath.Dir(tempSocket(t)))
	mustListen(t, "file://@x")
	if info, err := os.Lstat("@x"); err != nil || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("file://@x made %v, %v, want a socket", info, err)
	}
}

func TestFS182_PathTooLongIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := mustParse(t, "file://"+tempSocket(t)+strings.Repeat("x", 200)).Listen(t.Context()); err == nil {
		t.Error("a path of 200 bytes was listened on")
	}
}

// dup returns a descriptor of its own for the socket of l.
func dup(t *testing.T, l interface{ File() (*os.File, error) }) int {
	t.Helper()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFS185_InheritedSocket(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	l := mustListen(t, fmt.Sprint("fd://", dup(t, tcp.(*net.TCPListener))))[0]
	exchange(t, l, func() (net.Conn, error) { return net.Dial("tcp", tcp.Addr().String()) })
}

func TestFS185_WhatIsNoListeningSocketIsRefused(t *testing.T) {
	t.Parallel()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := dup(t, udp)
	defer syscall.Close(n)
	for _, n := range []int{n, int(file.Fd()), 1 << 20} {
		if _, err := mustParse(t, fmt.Sprint("fd://", n)).Listen(t.Context()); err == nil {
			t.Errorf("fd://%d was listened on", n)
		}
	}
	if _, err := mustParse(t, "fd://3").Dial(t.Context()); err == nil {
		t.Error("fd://3 was connected to")
	}
}

func TestActivatedByAServiceManager(t *testing.T) {
	me := fmt.Sprint(os.Getpid())
	for _, tt := range []struct {
		pid, fds string
		want     string
	}{
		{"", "", "[] <nil>"},
		{"1", "2", "[] <nil>"},
		{me, "2", "[fd://3 fd://4] <nil>"},
		{me, "0", "[] <nil>"},
		{me, "x", `[] LISTEN_FDS="x": not a number of sockets`},
	} {
		t.Setenv("LISTEN_PID", tt.pid)
		t.Setenv("LISTEN_FDS", tt.fds)
		as, err := Activated()
		if got := fmt.Sprint(as, err); got != tt.want {
			t.Errorf("LISTEN_PID=%s LISTEN_FDS=%s: %s, want %s", tt.pid, tt.fds, got, tt.want)
		}
		if left := os.Getenv("LISTEN_PID"); tt.pid == me && left != "" {
			t.Errorf("LISTEN_PID=%s is left for children", left)
		}
	}
}

func TestFS182_PipesAreForWindows(t *testing.T) {
	t.Parallel()
	if _, err := mustParse(t, `\\.\pipe\x`).Listen(t.Context()); !errors.Is(err, errNoPipes) {
		t.Errorf("Listen = %v, want %v", err, errNoPipes)
	}
	if _, err := mustParse(t, `\\.\pipe\x`).Dial(t.Context()); !errors.Is(err, errNoPipes) {
		t.Errorf("Dial = %v, want %v", err, errNoPipes)
	}
}
