package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/datakit/datakit/internal/mountpoint"
)

// A mounter is a program that mounts the files of a readSet.
type mounter struct {
	name   string
	argv   func(dir string) ([]string, error) // to mount on dir
	prefix string                             // of the files in the mount
}

// fuseMounts measures the files of a commit in FUSE mounts, of the repository
// and of a server, beside the same files in the loopback example of go-fuse.
// Each figure is of a mount that knows nothing yet.
func fuseMounts(e *env) ([]row, error) {
	if err := mountpoint.CheckFUSE(); err != nil {
		return []row{{name: "FUSE mounts", unit: "1/s", note: err.Error()}}, nil
	}
	files := e.smallContents("small/")
	files["large/file"] = random(1, e.size.stream)
	s, err := newReadSet(e, files)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	snapshot := filepath.Join(s.servers[0].prefix...)
	repository := func(dir string) ([]string, error) {
		bin, err := e.datakit()
		return []string{bin, "mount", "--git", filepath.Join(filepath.Dir(s.dir), "repo"), dir}, err
	}
	server := func(dir string) ([]string, error) {
		bin, err := e.datakit()
		return []string{bin, "mount", "--via", "fuse", "--addr", "file://" + s.servers[0].socket, dir}, err
	}
	loopback := mounter{name: "loopback", argv: func(dir string) ([]string, error) {
		bin, err := e.loopback()
		argv := []string{bin, "-q"}
		if os.Geteuid() == 0 {
			argv = append(argv, "-directmountstrict")
		}
		return append(argv, dir, s.dir), err
	}}
	ours := []mounter{
		{"a snapshot of a repository", repository, snapshot},
		{"a branch of a repository", repository, "branch/master/ro"},
		{"a snapshot of a server", server, snapshot},
		{"a branch of a server", server, "branch/master/ro"},
	}
	var rows []row
	for i, m := range ours {
		more, err := e.compareMounts(m, loopback)
		if err != nil {
			return rows, err
		}
		if i == len(ours)-1 { // each open asks the server for the head
			more[0].goal, more[1].goal = goal{}, goal{}
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// compareMounts measures one of our mounts beside the other.
func (e *env) compareMounts(ours, other mounter) ([]row, error) {
	mib := float64(e.size.stream) / (1 << 20)
	half := goal{"≥ 0.5× or 300", func(ours, alt float64) bool { return ours >= 300 || ours >= alt/2 }}
	rows := []row{
		{name: fmt.Sprintf("grep -r in %d files of 1 KiB, FUSE: %s", e.size.files, ours.name), unit: "files/s", goal: times(0.5)},
		{name: fmt.Sprintf("%s MiB in order, FUSE: %s", number(mib), ours.name), unit: "MiB/s", goal: half},
	}
	for i, measure := range []func(dir string) (float64, error){e.grepRate, e.catRate} {
		m, err := interleave(e,
			func() (float64, error) { return e.inMount(ours, measure) },
			func() (float64, error) { return e.inMount(other, measure) })
		if err != nil {
			return nil, err
		}
		rows[i].ours, rows[i].alt, rows[i].altName = m[0], m[1], other.name
	}
	return rows, nil
}

// grepRate returns how many files a second grep -r searches, in vain.
func (e *env) grepRate(dir string) (float64, error) {
	start := time.Now()
	err := exec.CommandContext(e.ctx, "grep", "-r", "in none of the files", filepath.Join(dir, "small")).Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return 0, fmt.Errorf("grep: %w", err)
	}
	return float64(e.size.files) / time.Since(start).Seconds(), nil
}

// catRate returns how many MiB a second cat reads of the large file.
func (e *env) catRate(dir string) (float64, error) {
	file := filepath.Join(dir, "large/file")
	if info, err := os.Stat(file); err != nil || info.Size() != e.size.stream {
		return 0, fmt.Errorf("the large file: %v, %w", info, err)
	}
	start := time.Now()
	if err := exec.CommandContext(e.ctx, "cat", file).Run(); err != nil { // to the null device
		return 0, fmt.Errorf("cat: %w", err)
	}
	return float64(e.size.stream) / (1 << 20) / time.Since(start).Seconds(), nil
}

// inMount measures in a new mount, and ends it.
func (e *env) inMount(m mounter, measure func(dir string) (float64, error)) (v float64, err error) {
	dir, err := e.temp("mount")
	if err != nil {
		return 0, err
	}
	argv, err := m.argv(dir)
	if err != nil {
		return 0, err
	}
	log := new(bytes.Buffer)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttr()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }() // ends when the process does
	defer func() { err = errors.Join(err, endMount(dir, cmd, done)) }()
	for start := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		if _, ok := mountpoint.Of(dir); ok {
			break
		}
		select {
		case err := <-done:
			done <- err
			return 0, fmt.Errorf("%s: %w: %s", m.name, err, log)
		default:
		}
		if time.Since(start) > time.Minute {
			return 0, fmt.Errorf("%s does not mount", m.name)
		}
	}
	return measure(filepath.Join(dir, m.prefix))
}

// endMount unmounts, and waits for the end of the program, but not for ever.
func endMount(dir string, cmd *exec.Cmd, done <-chan error) error {
	defer os.Remove(dir)
	for range 100 {
		if err := mountpoint.Unmount(dir); !errors.Is(err, mountpoint.ErrBusy) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, ok := mountpoint.Of(dir); ok {
		mountpoint.Detach(dir)
	}
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Kill} {
		select {
		case <-done:
			return nil
		case <-time.After(10 * time.Second):
			cmd.Process.Signal(sig)
		}
	}
	return fmt.Errorf("%s does not end", cmd.Path)
}
