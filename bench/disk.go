package main

import (
	"os"
	"path/filepath"
	"time"
)

// A disk is the measure of durable writes: a file to which blocks are
// appended, each made durable on its own.
type disk struct {
	f     *os.File
	block [4096]byte
}

func newDisk(e *env) (*disk, error) {
	dir, err := e.temp("disk")
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	return &disk{f: f}, err
}

// rate returns how many blocks a second the disk takes for the time of a turn.
func (d *disk) rate(turn time.Duration) (float64, error) {
	return rate(turn, func() error {
		if _, err := d.f.Write(d.block[:]); err != nil {
			return err
		}
		return datasync(d.f)
	})
}
