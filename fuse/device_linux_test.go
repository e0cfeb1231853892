package fuse

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

// TestFusermountOptions: an address may contain what separates options.
func TestFusermountOptions(t *testing.T) {
	t.Parallel()
	o := mountOptions(&Options{Source: `file:///a,b\c`, AllowOther: true, Log: discard})
	const want = `fsname=file:///a\,b\\c,subtype=datakit,max_read=1048576,default_permissions,allow_other`
	if got := options(o); got != want {
		t.Errorf("options are %s, want %s", got, want)
	}
	if got := options(&gofuse.MountOptions{}); got != "fsname=,subtype=,max_read=0" {
		t.Errorf("options are %s", got)
	}
}

// TestFusermountReceive passes a file as fusermount3 passes the device.
func TestFusermountReceive(t *testing.T) {
	t.Parallel()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours := os.NewFile(uintptr(pair[0]), "ours")
	defer ours.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := syscall.Sendmsg(pair[1], []byte{0}, syscall.UnixRights(int(null.Fd())), nil, 0); err != nil {
		t.Fatal(err)
	}
	fd, err := receive(ours)
	if err != nil {
		t.Fatal(err)
	}
	got := os.NewFile(uintptr(fd), "got")
	defer got.Close()
	a, _ := null.Stat()
	if b, err := got.Stat(); err != nil || !os.SameFile(a, b) {
		t.Errorf("received another file (%v)", err)
	}
	syscall.Close(pair[1])
	if _, err := receive(ours); err == nil || strings.Contains(err.Error(), "%!") {
		t.Errorf("a file is received from nobody, error %v", err)
	}
}

// TestFusermountSendsNothing: a program that sends no device is not waited for
// once it has ended.
func TestFusermountSendsNothing(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "fusermount3"), []byte("#!/bin/sh\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	_, err := fusermount(t.TempDir(), "")
	if !errors.Is(err, errNoDevice) || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want %v at once", err, errNoDevice)
	}
}

// TestFS178_DeadDevice: what waits for news ends with the device, also what the
// library does not know of.
func TestFS178_DeadDevice(t *testing.T) {
	t.Parallel()
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	d := device(pipe[1])
	if d.dead() {
		t.Error("a pipe with two ends is dead")
	}
	syscall.Close(pipe[0])
	if !d.dead() {
		t.Error("a pipe without a reader is not dead")
	}
	m := &Mount{draining: newSignal(), canceled: newSignal()}
	m.watch(d, nil)
	if !m.draining.raised() || !m.canceled.raised() {
		t.Error("nothing was cancelled")
	}
}
