//go:build !linux

package main

import "os"

func inMemory(string) bool { return false }

func datasync(f *os.File) error { return f.Sync() }
