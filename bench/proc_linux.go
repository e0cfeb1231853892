package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// childAttr has a child end with this process, however that ends.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// memory returns a line of /proc/PID/status, such as VmHWM, in MiB.
func memory(pid int, field string) (float64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if rest, ok := strings.CutPrefix(in.Text(), field+":"); ok {
			var kib float64
			_, err := fmt.Sscan(rest, &kib)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d: no %s", pid, field)
}

// load returns the load average of the last minute, or 0 if it is not known.
func load() (v float64) {
	data, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		fmt.Sscan(string(data), &v)
	}
	return v
}
