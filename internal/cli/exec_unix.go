//go:build unix

package cli

import (
	"os/exec"
	"syscall"
	"time"
)

// runGroup runs a command with the programs that it starts. When its context is
// done, all of them are told to end, and killed if they have not after grace.
func runGroup(cmd *exec.Cmd, grace time.Duration) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cancelled := false
	cmd.Cancel = func() error {
		cancelled = true
		return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	}
	cmd.WaitDelay = grace
	err := cmd.Run()
	if cancelled {
		killGroup(cmd.Process.Pid, grace)
	}
	return err
}

// killGroup kills what is left of a group of processes after a time.
func killGroup(id int, grace time.Duration) {
	for end := time.Now().Add(grace); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if syscall.Kill(-id, 0) != nil {
			return
		}
	}
	syscall.Kill(-id, syscall.SIGKILL)
}
