//go:build !unix

package cli

import (
	"os/exec"
	"time"
)

// runGroup runs a command. When its context is done, it is killed.
func runGroup(cmd *exec.Cmd, grace time.Duration) error {
	cmd.WaitDelay = grace
	return cmd.Run()
}
